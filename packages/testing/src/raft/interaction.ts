import {
  describeMessage,
  isLocalTarget,
  type Message,
  type MessageType,
  NO_LIMIT,
  type Snapshot,
  type StepOutcome,
} from '@themisdb/raft';
import { type NodeOptions, ScriptNode } from './node.ts';
import { ScriptOutput } from './output.ts';

export interface Recipient {
  readonly id: number;
  /** Lose its messages instead of delivering them. */
  readonly drop: boolean;
}

const OUTCOME_TEXT: Readonly<Record<StepOutcome, string>> = {
  ok: '',
  'proposal-dropped': 'raft proposal dropped',
  'local-message': 'raft: cannot step raft local message',
  'peer-not-found': 'raft: cannot step as peer not found',
};

/**
 * A group of nodes under a script's control: nothing happens, no message moves, unless a command says
 * so. Node n has id n, counted from 1.
 */
export class Interaction {
  readonly output: ScriptOutput = new ScriptOutput();
  readonly nodes: ScriptNode[] = [];
  /** In flight, in the order they were sent. */
  #messages: Message[] = [];

  addNodes(count: number, options: Partial<NodeOptions>, initial: Snapshot): void {
    for (let i = 0; i < count; i++) {
      const defaults = {
        id: this.nodes.length + 1,
        electionTicks: 3,
        heartbeatTicks: 1,
        messageBytesMax: NO_LIMIT,
        inflightMessagesMax: 2 ** 31 - 1,
        logger: this.output,
        // Scripts that depend on the timeout set it.
        random: () => 0,
      };
      this.nodes.push(new ScriptNode({ ...defaults, ...options }, initial, this.output));
    }
  }

  node(id: number): ScriptNode {
    const node = this.nodes[id - 1];
    if (node === undefined) throw new Error(`there is no node ${id}`);
    return node;
  }

  send(messages: readonly Message[]): void {
    this.#messages.push(...messages);
  }

  processReady(id: number): void {
    this.send(this.node(id).processReady());
  }

  processAppend(id: number): void {
    this.send(this.node(id).processAppend());
  }

  processApply(id: number): void {
    this.send(this.node(id).processApply());
  }

  /** Delivers or loses what is in flight; returns the number of messages. */
  deliver(recipients: readonly Recipient[], type?: MessageType): number {
    let count = 0;
    for (const { id, drop } of recipients) {
      const taken = this.#messages.filter((message) => isFor(message, id, drop, type));
      this.#messages = this.#messages.filter((message) => !taken.includes(message));
      for (const message of taken) {
        this.output.writeLine(`${drop ? 'dropped: ' : ''}${describeMessage(message)}`);
        if (!drop) this.#step(id, message);
      }
      count += taken.length;
    }
    return count;
  }

  /** Handles Readys, deliveries and storage work of these nodes until none of them has any left. */
  stabilize(ids: readonly number[]): void {
    for (let busy = true; busy;) {
      const ready = this.#round(ids, 'handling Ready', (id) => this.#handleReady(id));
      const receiving = this.#round(ids, 'receiving messages', (id) => this.#receive(id));
      const appending = this.#round(ids, 'processing append thread', (id) => this.#append(id));
      const applying = this.#round(ids, 'processing apply thread', (id) => this.#applyAll(id));
      busy = ready || receiving || appending || applying;
    }
  }

  /** A copy of the message at this place of those in flight joins them at the end. */
  duplicate(at: number): void {
    this.#messages.push(this.#messages[at]!);
  }

  /** The message at this place of those in flight is overtaken by all others. */
  delay(at: number): void {
    this.#messages.push(...this.#messages.splice(at, 1));
  }

  /** The node loses what is in its memory, including messages to itself; its log stays. */
  restart(id: number): void {
    this.#messages = this.#messages.filter((message) => !isToSelf(message, id));
    this.node(id).restart();
  }

  outcomeText(outcome: StepOutcome): string {
    return OUTCOME_TEXT[outcome];
  }

  /** `start` returns the work a node has at this moment, or undefined. */
  #round(
    ids: readonly number[],
    title: string,
    start: (id: number) => (() => void) | undefined,
  ): boolean {
    let busy = false;
    for (const id of ids) {
      const work = start(id);
      if (work === undefined) continue;
      busy = true;
      this.output.writeLine(`> ${id} ${title}`);
      this.output.indented(work);
    }
    return busy;
  }

  #handleReady(id: number): (() => void) | undefined {
    return this.node(id).raw.hasReady() ? () => this.processReady(id) : undefined;
  }

  #receive(id: number): (() => void) | undefined {
    const hasMail = this.#messages.some((message) => message.to === id);
    return hasMail ? () => this.deliver([{ id, drop: false }]) : undefined;
  }

  #append(id: number): (() => void) | undefined {
    const { appendWork } = this.node(id);
    if (appendWork.length === 0) return undefined;
    return () => {
      while (appendWork.length > 0) this.processAppend(id);
    };
  }

  #applyAll(id: number): (() => void) | undefined {
    const { applyWork } = this.node(id);
    if (applyWork.length === 0) return undefined;
    return () => {
      while (applyWork.length > 0) this.processApply(id);
    };
  }

  #step(id: number, message: Message): void {
    const text = OUTCOME_TEXT[this.node(id).raw.step(message)];
    if (text !== '') this.output.writeLine(text);
  }
}

function isToSelf({ from, to }: Message, id: number): boolean {
  return to === id && (from === id || isLocalTarget(from));
}

/** A node's messages to itself and its storage travel over no network and cannot be lost. */
function isFor(
  message: Message,
  id: number,
  drop: boolean,
  type: MessageType | undefined,
): boolean {
  const { from, to } = message;
  const isLocal = from === to || isLocalTarget(from) || isLocalTarget(to);
  return to === id && !(drop && isLocal) && (type === undefined || message.type === type);
}
