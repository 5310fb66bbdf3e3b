import { decodeConfChange } from './confchange/codec.ts';
import { asConfChangeV2 } from './confchange/kind.ts';
import { holdsSnapshot } from './message.ts';
import { quoteBytes } from './quote.ts';
import {
  type AnyConfChange,
  type ConfChangeSingle,
  ConfChangeTransition,
  ConfChangeType,
  type ConfState,
  type Entry,
  EntryType,
  type HardState,
  LOCAL_APPEND_THREAD,
  LOCAL_APPLY_THREAD,
  type Message,
  MessageType,
  NONE,
  type ReadState,
  type Ready,
  type Snapshot,
  type SoftState,
  StateType,
} from './types.ts';

/**
 * The core's values as text, for logs and script tests. The forms are those of the library's
 * `Describe...` functions, so that outputs can be compared character for character. Node ids in
 * messages are hexadecimal, everywhere else decimal.
 */

/** How the bytes of a normal entry are shown; without one they are quoted. */
export type EntryFormatter = (data: Uint8Array) => string;

export function describeReady(ready: Ready, format: EntryFormatter = quoteBytes): string {
  const lines: string[] = [];
  if (ready.softState) lines.push(describeSoftState(ready.softState));
  if (ready.hardState) lines.push(`HardState ${describeHardState(ready.hardState)}`);
  if (ready.readStates.length > 0) lines.push(`ReadStates ${describeReadStates(ready.readStates)}`);
  if (ready.entries.length > 0) {
    lines.push('Entries:', ...ready.entries.map((entry) => describeEntry(entry, format)));
  }
  if (holdsSnapshot(ready.snapshot)) {
    lines.push(`Snapshot ${describeSnapshot(ready.snapshot)}`);
  }
  if (ready.committedEntries.length > 0) {
    lines.push('CommittedEntries:');
    lines.push(...ready.committedEntries.map((entry) => describeEntry(entry, format)));
  }
  if (ready.messages.length > 0) {
    lines.push('Messages:', ...ready.messages.map((message) => describeMessage(message, format)));
  }
  if (lines.length === 0) return '<empty Ready>';
  return [`Ready MustSync=${ready.mustSync}:`, ...lines, ''].join('\n');
}

export function describeMessage(message: Message, format: EntryFormatter = quoteBytes): string {
  return describeIndented(message, format, '');
}

function describeIndented(message: Message, format: EntryFormatter, indent: string): string {
  const { from, to, type, term, logTerm, index } = message;
  const route = `${nodeName(from)}->${nodeName(to)}`;
  let text = `${indent}${route} ${messageTypeName(type)} Term:${term} Log:${logTerm}/${index}`;
  if (message.reject) text += ` Rejected (Hint: ${message.rejectHint})`;
  if (message.commit !== 0) text += ` Commit:${message.commit}`;
  if (message.vote !== 0) text += ` Vote:${message.vote}`;
  text += describeMessageEntries(message.entries, format, indent);
  if (holdsSnapshot(message.snapshot)) {
    text += `\n${indent}  Snapshot: ${describeSnapshot(message.snapshot)}`;
  }
  if (message.responses.length > 0) {
    const inner = message.responses.map((item) => describeIndented(item, format, `${indent}  `));
    text += ` Responses:[\n${inner.join('\n')}\n${indent}]`;
  }
  return text;
}

function describeMessageEntries(
  entries: readonly Entry[],
  format: EntryFormatter,
  indent: string,
): string {
  if (entries.length === 0) return '';
  if (entries.length === 1) return ` Entries:[${describeEntry(entries[0]!, format)}]`;
  const lines = entries.map((entry) => `\n${indent}  ${describeEntry(entry, format)}`);
  return ` Entries:[${lines.join('')}\n${indent}]`;
}

export function describeEntries(
  entries: readonly Entry[],
  format: EntryFormatter = quoteBytes,
): string {
  return entries.map((entry) => `${describeEntry(entry, format)}\n`).join('');
}

export function describeEntry(entry: Entry, format: EntryFormatter = quoteBytes): string {
  const payload = describePayload(entry, format);
  const head = `${entry.term}/${entry.index} ${entryTypeName(entry.type)}`;
  return payload === '' ? head : `${head} ${payload}`;
}

function describePayload(entry: Entry, format: EntryFormatter): string {
  if ((entry.type ?? EntryType.Normal) === EntryType.Normal) {
    return format(entry.data ?? new Uint8Array(0));
  }
  const change = decodeConfChange(entry);
  if (change === undefined) return 'proto: cannot parse invalid wire-format data';
  return describeChanges(asConfChangeV2(change).changes);
}

export function describeHardState({ term, vote, commit }: HardState): string {
  return `Term:${term}${vote === NONE ? '' : ` Vote:${vote}`} Commit:${commit}`;
}

export function describeSoftState({ lead, raftState }: SoftState): string {
  return `Lead:${lead} State:${stateName(raftState)}`;
}

export function describeSnapshot({ metadata }: Snapshot): string {
  const { index, term, confState } = metadata;
  return `Index:${index} Term:${term} ConfState:${describeConfState(confState)}`;
}

export function describeConfState(state: ConfState): string {
  const list = (ids: readonly number[]): string => `[${ids.join(' ')}]`;
  return [
    `Voters:${list(state.voters)}`,
    `VotersOutgoing:${list(state.votersOutgoing)}`,
    `Learners:${list(state.learners)}`,
    `LearnersNext:${list(state.learnersNext)}`,
    `AutoLeave:${state.autoLeave}`,
  ].join(' ');
}

export function describeConfChange(change: AnyConfChange): string {
  const { transition, changes, context } = asConfChangeV2(change);
  const parts = [`transition:ConfChangeTransition${transitionName(transition)}`];
  for (const { type, nodeId } of changes) {
    parts.push(`changes:{type:ConfChange${confChangeTypeName(type)} node_id:${nodeId}}`);
  }
  if (context !== undefined && context.length > 0) parts.push(`context:${quoteBytes(context)}`);
  return parts.join(' ');
}

const CHANGE_LETTERS: Readonly<Record<ConfChangeType, string>> = {
  [ConfChangeType.AddNode]: 'v',
  [ConfChangeType.AddLearnerNode]: 'l',
  [ConfChangeType.RemoveNode]: 'r',
  [ConfChangeType.UpdateNode]: 'u',
};

/** `v1 l2 r3 u4`: voter, learner, remove, update. */
export function describeChanges(changes: readonly ConfChangeSingle[]): string {
  return changes.map(({ type, nodeId }) => `${CHANGE_LETTERS[type]}${nodeId}`).join(' ');
}

/** The inverse of `describeChanges`; a string tells what cannot be read. */
export function parseChanges(text: string): ConfChangeSingle[] | string {
  const words = text.trim() === '' ? [] : text.trim().split(' ');
  const changes: ConfChangeSingle[] = [];
  for (const word of words) {
    const letter = Object.entries(CHANGE_LETTERS).find(([, name]) => name === word[0]);
    if (letter === undefined || !/^.\d+$/.test(word)) return `unknown input: ${word}`;
    changes.push({ type: Number(letter[0]) as ConfChangeType, nodeId: Number(word.slice(1)) });
  }
  return changes;
}

export function messageTypeName(type: MessageType): string {
  return `Msg${nameIn(MessageType, type)}`;
}

export function stateName(state: StateType): string {
  return `State${nameIn(StateType, state)}`;
}

export function nodeName(id: number): string {
  if (id === NONE) return 'None';
  if (id === LOCAL_APPEND_THREAD) return 'AppendThread';
  if (id === LOCAL_APPLY_THREAD) return 'ApplyThread';
  return id.toString(16);
}

function entryTypeName(type: EntryType | undefined): string {
  return `Entry${nameIn(EntryType, type ?? EntryType.Normal)}`;
}

function transitionName(transition: ConfChangeTransition | undefined): string {
  return nameIn(ConfChangeTransition, transition ?? ConfChangeTransition.Auto);
}

function confChangeTypeName(type: ConfChangeType): string {
  return nameIn(ConfChangeType, type);
}

function nameIn(names: Readonly<Record<string, number>>, value: number): string {
  return Object.keys(names).find((name) => names[name] === value) ?? String(value);
}

function describeReadStates(states: readonly ReadState[]): string {
  const one = ({ index, context }: ReadState): string =>
    `{${index} [${[...(context ?? [])].join(' ')}]}`;
  return `[${states.map(one).join(' ')}]`;
}
