import {
  type ConfState,
  type Entry,
  type HardState,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  type Message,
  type ProgressView,
  type RawNode,
  type Ready,
  type Snapshot,
} from '@themisdb/raft';
import { APPEND_THREAD_NAME, APPLY_THREAD_NAME } from './trace-reader.ts';

const NO_BYTES = new Uint8Array(0);

/** Writes what our core did in the form the trace gives what the library did. */
export class ResultWriter {
  #bytes = new Uint8Array(1 << 12);
  #length = 0;

  /** Starts over; the bytes of the last result are gone. */
  reset(): void {
    this.#length = 0;
  }

  get result(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  uv(value: number): void {
    this.#reserve(8);
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) {
      this.#bytes[this.#length++] = (rest % 128) + 128;
    }
    this.#bytes[this.#length++] = rest;
  }

  flag(value: boolean): void {
    this.u8(value ? 1 : 0);
  }

  bytes(value: Uint8Array): void {
    this.uv(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  ids(ids: readonly number[]): void {
    this.uv(ids.length);
    for (const id of ids) this.uv(id);
  }

  confState(state: ConfState): void {
    this.ids(state.voters);
    this.ids(state.learners);
    this.ids(state.votersOutgoing);
    this.ids(state.learnersNext);
    this.flag(state.autoLeave);
  }

  ready(ready: Ready): void {
    this.flag(ready.softState !== undefined);
    if (ready.softState !== undefined) {
      this.uv(ready.softState.lead);
      this.u8(ready.softState.raftState);
    }
    this.#hardState(ready.hardState);
    this.uv(ready.readStates.length);
    for (const { index, context } of ready.readStates) {
      this.uv(index);
      this.bytes(context ?? NO_BYTES);
    }
    this.#entries(ready.entries);
    this.#snapshot(ready.snapshot);
    this.#entries(ready.committedEntries);
    this.#messages(ready.messages);
    this.flag(ready.mustSync);
  }

  basics(node: RawNode): void {
    const { hardState, softState, applied, leadTransferee } = node.basicStatus();
    this.flag(node.hasReady());
    this.uv(hardState.term);
    this.uv(hardState.vote);
    this.uv(hardState.commit);
    this.uv(softState.lead);
    this.u8(softState.raftState);
    this.uv(applied);
    this.uv(leadTransferee);
  }

  status(node: RawNode): void {
    const { config, progress } = node.status();
    this.ids(config.voters.incoming.ids);
    this.ids(config.voters.outgoing.ids);
    this.ids(config.learners);
    this.ids(config.learnersNext);
    this.uv(progress.size);
    for (const [id, view] of progress) {
      this.uv(id);
      this.#progress(view);
    }
  }

  #progress(view: ProgressView): void {
    this.uv(view.match);
    this.uv(view.next);
    this.u8(['probe', 'replicate', 'snapshot'].indexOf(view.state));
    this.uv(view.pendingSnapshot);
    this.flag(view.recentActive);
    this.flag(view.appendsPaused);
    this.flag(view.isLearner);
    this.uv(view.inflightCount);
    this.flag(view.inflightFull);
  }

  #entries(entries: readonly Entry[]): void {
    this.uv(entries.length);
    for (const { term, index, type, data } of entries) {
      this.uv(term);
      this.uv(index);
      this.u8(type === undefined ? 0 : type + 1);
      this.flag(data !== undefined);
      if (data !== undefined) this.bytes(data);
    }
  }

  #snapshot(snapshot: Snapshot | undefined): void {
    this.flag(snapshot !== undefined);
    if (snapshot === undefined) return;
    this.uv(snapshot.metadata.index);
    this.uv(snapshot.metadata.term);
    this.confState(snapshot.metadata.confState);
    this.bytes(snapshot.data ?? NO_BYTES);
  }

  #hardState(state: HardState | undefined): void {
    this.flag(state !== undefined);
    if (state === undefined) return;
    this.uv(state.term);
    this.uv(state.vote);
    this.uv(state.commit);
  }

  #messages(messages: readonly Message[]): void {
    this.uv(messages.length);
    for (const message of messages) this.#message(message);
  }

  #message(message: Message): void {
    this.u8(message.type);
    this.#id(message.to);
    this.#id(message.from);
    this.uv(message.term);
    this.uv(message.logTerm);
    this.uv(message.index);
    this.#entries(message.entries);
    this.uv(message.commit);
    this.uv(message.vote);
    this.#snapshot(message.snapshot);
    this.flag(message.reject);
    this.uv(message.rejectHint);
    this.bytes(message.context ?? NO_BYTES);
    this.#messages(message.responses);
  }

  #id(id: number): void {
    if (id === LOCAL_APPEND_THREAD) this.uv(APPEND_THREAD_NAME);
    else this.uv(id === LOCAL_APPLY_THREAD ? APPLY_THREAD_NAME : id);
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * (this.#length + count));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
