export * from './commands.ts';
export * from './interaction.ts';
export * from './node.ts';
export * from './output.ts';
