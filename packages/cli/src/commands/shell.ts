import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import type { Command } from 'commander';
import { isThemisError } from '@themisdb/base';
import type { ThemisClient } from '@themisdb/client';
import { connect, withConnection, type ConnectionFlags } from '../connection.ts';
import { describeError } from '../report-error.ts';
import { completions } from '../shell/completion.ts';
import { isComplete } from '../shell/is-complete.ts';
import { renderTable } from '../render/table.ts';
import type { Terminal } from '../terminal.ts';

interface ShellFlags extends ConnectionFlags {
  readonly execute?: string;
  readonly json: boolean;
}

export function shellCommand(
  program: Command,
  terminal: Terminal,
  fail: (code: number) => void,
): void {
  withConnection(program.command('shell'))
    .description('An interactive AQL shell with history and completion.')
    .option('-e, --execute <aql>', 'run one query and leave')
    .option('--json', 'print rows as JSON, one a line, instead of tables', false)
    .action(async (flags: ShellFlags) => {
      const client = connect(flags, terminal);
      const shell = new Shell(client, flags, terminal);
      try {
        if (flags.execute !== undefined) {
          if (!(await shell.run(flags.execute))) fail(1);
        } else await shell.interact();
      } finally {
        await shell.close();
      }
    });
}

const help = `AQL ends by itself when it is complete, or at a line that ends in ";".
  .help                 this text
  .collections          collections of the namespace, with counts and indexes
  .explain QUERY        the plan of a query
  .namespace [NAME]     show or change the namespace
  .table / .json        how rows are shown
  .exit                 leave (or Ctrl-D)
Tab completes words of the language, functions and collections; ↑ brings back earlier queries.`;

const rowsShownMax = 200;

/** Reads statements, runs them, shows rows. One query at a time; Ctrl-C stops a running one. */
class Shell {
  #client: ThemisClient;
  readonly #root: ThemisClient;
  readonly #terminal: Terminal;
  #namespace: string;
  #asJson: boolean;
  #collections: string[] = [];
  #running: AbortController | undefined;

  constructor(client: ThemisClient, flags: ShellFlags, terminal: Terminal) {
    this.#client = client;
    this.#root = client;
    this.#terminal = terminal;
    this.#namespace = flags.namespace ?? 'default';
    this.#asJson = flags.json;
  }

  close(): Promise<void> {
    return this.#root.close();
  }

  async interact(): Promise<void> {
    const history = new History();
    await this.#refreshCollections();
    const lines = createInterface({
      input: this.#terminal.stdin,
      output: this.#terminal.stdout,
      terminal: this.#terminal.isOutTerminal,
      history: this.#terminal.isOutTerminal ? history.load() : [],
      historySize: 1000,
      completer: (line: string) => completions(line, this.#collections),
    });
    lines.on('SIGINT', () => this.#interrupt(lines));
    if (this.#terminal.isOutTerminal) this.#say('ThemisDB shell. Type .help for help.');
    await this.#loop(lines, history);
    lines.close();
  }

  /** Reads line by line rather than with question(), so that piped input is not lost meanwhile. */
  async #loop(lines: Interface, history: History): Promise<void> {
    let pending = '';
    const prompt = (): void => {
      lines.setPrompt(pending === '' ? `${this.#namespace}> ` : '... ');
      if (this.#terminal.isOutTerminal) lines.prompt();
    };
    prompt();
    for await (const line of lines) {
      pending = pending === '' ? line : `${pending}\n${line}`;
      if (isComplete(pending)) {
        const statement = pending.trim().replace(/;$/, '');
        pending = '';
        if (statement !== '') {
          if (this.#terminal.isOutTerminal) history.add(statement);
          if (!(await this.#statement(statement))) return;
        }
      }
      prompt();
    }
    if (pending.trim() !== '') await this.#statement(pending.trim());
  }

  /** False when the shell is to end. */
  async #statement(text: string): Promise<boolean> {
    if (!text.startsWith('.')) {
      await this.run(text);
      return true;
    }
    const [name, ...rest] = text.split(/\s+/);
    if (name === '.exit' || name === '.quit') return false;
    try {
      await this.#command(name!, rest.join(' '));
    } catch (error) {
      this.#say(describeError(error, rest.join(' ')));
      if (!isThemisError(error)) throw error;
    }
    return true;
  }

  async #command(name: string, rest: string): Promise<void> {
    if (name === '.help') this.#say(help);
    else if (name === '.table' || name === '.json') this.#asJson = name === '.json';
    else if (name === '.namespace') await this.#useNamespace(rest);
    else if (name === '.collections') await this.#showCollections();
    else if (name === '.explain') await this.#explain(rest);
    else this.#say(`${name} is no command; .help lists them`);
  }

  async #useNamespace(name: string): Promise<void> {
    if (name !== '') {
      this.#namespace = name;
      this.#client = this.#root.namespace(name);
      await this.#refreshCollections();
    }
    this.#say(`namespace ${this.#namespace}`);
  }

  async #showCollections(): Promise<void> {
    const collections = await this.#client.collections();
    this.#collections = collections.map((collection) => collection.name);
    this.#show(
      collections.map(({ name, model, type, count, indexes }) => ({
        name,
        model,
        type,
        count,
        indexes: indexes.map((index) => index.fields.join('+')).join(', '),
      })),
    );
  }

  async #explain(query: string): Promise<void> {
    const plan = (await this.#client.explain(query)) as { planText?: string; plan_text?: string };
    this.#say(plan.planText ?? plan.plan_text ?? JSON.stringify(plan, null, 2));
  }

  /** True when the query succeeded. */
  async run(text: string): Promise<boolean> {
    const started = performance.now();
    this.#running = new AbortController();
    try {
      const cursor = this.#client.query(
        text,
        {},
        { signal: this.#running.signal, timeoutMs: 3_600_000 },
      );
      const rows = this.#asJson ? await this.#stream(cursor) : await this.#table(cursor);
      for (const warning of cursor.warnings)
        this.#note(`warning ${warning.code}: ${warning.message}`);
      const writes = cursor.stats?.writesExecuted ?? 0;
      const ms = (performance.now() - started).toFixed(1);
      if (!this.#asJson)
        this.#note(`${rows} rows${writes > 0 ? `, ${writes} writes` : ''} in ${ms} ms`);
      return true;
    } catch (error) {
      this.#note(this.#running.signal.aborted ? 'interrupted' : describeError(error, text));
      if (!isThemisError(error) && !this.#running.signal.aborted) throw error;
      return false;
    } finally {
      this.#running = undefined;
    }
  }

  async #stream(cursor: AsyncIterable<unknown>): Promise<number> {
    let count = 0;
    for await (const row of cursor) {
      count++;
      this.#say(JSON.stringify(row));
    }
    return count;
  }

  /** Reads on past what is shown only to count; a million rows do not fill the terminal. */
  async #table(cursor: AsyncIterable<unknown>): Promise<number> {
    const shown: unknown[] = [];
    let count = 0;
    for await (const row of cursor) {
      count++;
      if (shown.length < rowsShownMax) shown.push(row);
    }
    this.#show(shown);
    if (count > shown.length)
      this.#note(`… ${count - shown.length} more rows not shown; use LIMIT or --json`);
    return count;
  }

  #show(rows: readonly unknown[]): void {
    if (this.#asJson) for (const row of rows) this.#say(JSON.stringify(row));
    else this.#say(renderTable(rows, { width: this.#terminal.width }));
  }

  #say(text: string): void {
    this.#terminal.stdout.write(text + '\n');
  }

  #note(text: string): void {
    this.#terminal.stderr.write(text + '\n');
  }

  #interrupt(lines: Interface): void {
    if (this.#running !== undefined) this.#running.abort(new Error('interrupted'));
    else lines.close();
  }

  async #refreshCollections(): Promise<void> {
    const collections = await this.#client.collections();
    this.#collections = collections.map((collection) => collection.name);
  }
}

/** Earlier statements, one a line, in the user's home folder. */
class History {
  readonly #path = join(homedir(), '.themis_history');

  /** Newest first, as readline wants them. */
  load(): string[] {
    if (!existsSync(this.#path)) return [];
    return readFileSync(this.#path, 'utf8').split('\n').filter(Boolean).slice(-1000).reverse();
  }

  add(statement: string): void {
    appendFileSync(this.#path, statement.replaceAll('\n', ' ') + '\n', { mode: 0o600 });
  }
}
