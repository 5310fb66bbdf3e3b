interface Topology {
  readonly nodes: readonly {
    readonly id: number;
    readonly url?: string;
    readonly is_reachable: boolean;
    readonly role?: string;
    readonly term?: number;
    readonly commit_index?: number;
    readonly applied_index?: number;
    readonly lag_entries?: number;
  }[];
}

/** GET /api/admin/topology as lines of text. */
export function rowsTable(topology: unknown): string {
  const rows = [['node', 'role', 'term', 'commit', 'applied', 'lag', 'url']];
  for (const node of (topology as Topology).nodes) {
    const role = node.is_reachable ? (node.role ?? '?') : 'not reachable';
    const numbers = [node.term, node.commit_index, node.applied_index, node.lag_entries];
    rows.push([
      String(node.id),
      role,
      ...numbers.map((value) => String(value ?? '')),
      node.url ?? '',
    ]);
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i]!)).join('  '));
  return lines.map((line) => `  ${line.trimEnd()}\n`).join('');
}
