export * from './datadriven.ts';
export * from './sim/index.ts';
