export * from './datadriven.ts';
