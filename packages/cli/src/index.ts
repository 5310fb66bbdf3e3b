export { main } from './main.ts';
export { renderTable, type TableOptions } from './render/table.ts';
export type { Terminal } from './terminal.ts';
