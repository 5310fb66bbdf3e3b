import {
  type AnyConfChange,
  ConfChangeTransition,
  describeEntries,
  describeMessage,
  describeProgresses,
  EMPTY_SNAPSHOT,
  makeMessage,
  MessageType,
  NO_LIMIT,
  parseChanges,
  type Snapshot,
  stateName,
} from '@themisdb/raft';
import { scriptArg, type ScriptCommand } from '../datadriven.ts';
import type { Interaction, Recipient } from './interaction.ts';
import type { NodeOptions } from './node.ts';

/** What a command could not do; it ends up in the output. */
class CommandError extends Error {}

type Handler = (group: Interaction, command: ScriptCommand) => void;

/** Runs one command and returns what it printed. */
export function runInteraction(group: Interaction, command: ScriptCommand): string {
  const { output } = group;
  output.clear();
  try {
    const handler = HANDLERS[command.name];
    if (handler === undefined) throw new CommandError('unknown command');
    handler(group, command);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    // An error shows even where the output is silenced.
    if (output.isQuiet) return error.message;
    output.write(error.message);
  }
  return output.text === '' ? 'ok' : output.text;
}

const HANDLERS: Readonly<Record<string, Handler>> = {
  'add-nodes': addNodes,
  campaign: (group, command) => {
    report(group, group.node(firstId(command)).raw.campaign());
  },
  compact: compact,
  'delay-msg': (group, command) => group.delay(firstId(command)),
  'deliver-msgs': deliverMessages,
  'duplicate-msg': (group, command) => group.duplicate(firstId(command)),
  'forget-leader': (group, command) => {
    group.node(firstId(command)).raw.forgetLeader();
  },
  'log-level': (group, command) => setLevel(group, command.args[0]!.key),
  'process-append-thread': (group, command) => {
    eachNode(group, command, 'processing append thread', (id) => group.processAppend(id));
  },
  'process-apply-thread': (group, command) => {
    eachNode(group, command, 'processing apply thread', (id) => group.processApply(id));
  },
  'process-ready': (group, command) => {
    eachNode(group, command, 'handling Ready', (id) => group.processReady(id));
  },
  propose: (group, command) => {
    const data = new TextEncoder().encode(command.args[1]!.key);
    report(group, group.node(firstId(command)).raw.propose(data));
  },
  'propose-conf-change': proposeConfChange,
  'raft-log': (group, command) => printLog(group, firstId(command)),
  'raft-state': printState,
  'read-index': (group, command) => {
    const context = new TextEncoder().encode(command.args[1]!.key);
    group.node(firstId(command)).raw.readIndex(context);
  },
  'report-snapshot': (group, command) => {
    const status = command.args[2]!.key === 'failed' ? 'failed' : 'finished';
    group.node(firstId(command)).raw.reportSnapshot(Number(command.args[1]!.key), status);
  },
  'report-unreachable': (group, command) => {
    const [on, about] = nodeIds(command);
    group.node(on!).raw.reportUnreachable(about!);
  },
  restart: (group, command) => group.restart(firstId(command)),
  'send-snapshot': sendSnapshot,
  'set-randomized-election-timeout': (group, command) => {
    const ticks = Number(scriptArg(command, 'timeout'));
    group.node(firstId(command)).raw.setRandomizedElectionTimeout(ticks);
  },
  stabilize: stabilize,
  status: (group, command) => {
    group.output.write(describeProgresses(group.node(firstId(command)).raw.status().progress));
  },
  'tick-election': (group, command) => {
    const { raw, options } = group.node(firstId(command));
    for (let i = 0; i < options.electionTicks; i++) raw.tick();
  },
  'tick-heartbeat': (group, command) => {
    const { raw, options } = group.node(firstId(command));
    for (let i = 0; i < options.heartbeatTicks; i++) raw.tick();
  },
  'transfer-leadership': (group, command) => {
    const from = Number(scriptArg(command, 'from'));
    group.node(from).raw.transferLeader(Number(scriptArg(command, 'to')));
  },
};

function addNodes(group: Interaction, command: ScriptCommand): void {
  const index = Number(scriptArg(command, 'index') ?? 0);
  const initial = initialSnapshot(command, index);
  group.addNodes(Number(command.args[0]!.key), nodeOptions(command, index), initial);
}

function initialSnapshot(command: ScriptCommand, index: number): Snapshot {
  const ids = (key: string): number[] =>
    (command.args.find((arg) => arg.key === key)?.values ?? []).map(Number);
  const { confState } = EMPTY_SNAPSHOT.metadata;
  const voters = ids('voters');
  const learners = ids('learners');
  const content = scriptArg(command, 'content');
  if (voters.length === 0 && learners.length === 0 && content === undefined && index === 0) {
    return EMPTY_SNAPSHOT;
  }
  if (index <= 1) throw new CommandError('index must be specified as > 1 due to bootstrap');
  const data = content === undefined ? undefined : new TextEncoder().encode(content);
  return { data, metadata: { confState: { ...confState, voters, learners }, index, term: 1 } };
}

function nodeOptions(command: ScriptCommand, applied: number): Partial<NodeOptions> {
  const isOn = (key: string): boolean => scriptArg(command, key) === 'true';
  const readOnly = scriptArg(command, 'read-only') ?? 'safe';
  if (readOnly !== 'safe' && readOnly !== 'lease-based') {
    throw new CommandError(`invalid read-only option "${readOnly}"`);
  }
  return {
    applied,
    inflightMessagesMax: Number(scriptArg(command, 'inflight') ?? 2 ** 31 - 1),
    inflightBytesMax: Number(scriptArg(command, 'inflight-bytes') ?? 0),
    messageBytesMax: Number(scriptArg(command, 'message-bytes') ?? 0) || NO_LIMIT,
    uncommittedBytesMax: Number(scriptArg(command, 'uncommitted-bytes') ?? 0),
    applyingBytesMax: Number(scriptArg(command, 'max-committed-size-per-ready') ?? 0),
    asyncStorageWrites: isOn('async-storage-writes'),
    preVote: isOn('prevote'),
    checkQuorum: isOn('checkquorum'),
    disableConfChangeValidation: isOn('disable-conf-change-validation'),
    disableProposalForwarding: isOn('disable-proposal-forwarding'),
    stepDownOnRemoval: isOn('step-down-on-removal'),
    readOnlyOption: readOnly,
  };
}

function compact(group: Interaction, command: ScriptCommand): void {
  const id = firstId(command);
  if (group.node(id).storage.compact(Number(command.args[1]!.key)) === 'compacted') {
    throw new CommandError('requested index is unavailable due to compaction');
  }
  printLog(group, id);
}

function deliverMessages(group: Interaction, command: ScriptCommand): void {
  const recipients: Recipient[] = nodeIds(command).map((id) => ({ id, drop: false }));
  let type: MessageType | undefined;
  for (const { key, values } of command.args) {
    if (key === 'drop') recipients.push(...values.map((id) => ({ id: Number(id), drop: true })));
    if (key === 'type') type = messageType(values[0]!);
  }
  if (group.deliver(recipients, type) === 0) group.output.writeLine('no messages');
}

function messageType(name: string): MessageType {
  const found = Object.entries(MessageType).find(([key]) => `Msg${key}` === name);
  if (found === undefined) throw new CommandError(`unknown message type ${name}`);
  return found[1];
}

function proposeConfChange(group: Interaction, command: ScriptCommand): void {
  const changes = parseChanges(command.input);
  if (typeof changes === 'string') throw new CommandError(changes);
  const transition = transitionOf(scriptArg(command, 'transition') ?? 'auto');
  const isV1 = scriptArg(command, 'v1') === 'true';
  if (isV1 && (changes.length > 1 || transition !== ConfChangeTransition.Auto)) {
    throw new CommandError('v1 conf change can only have one operation and no transition');
  }
  const change: AnyConfChange = isV1 ? changes[0]! : { transition, changes };
  report(group, group.node(firstId(command)).raw.proposeConfChange(change));
}

function transitionOf(name: string): ConfChangeTransition {
  switch (name) {
    case 'auto':
      return ConfChangeTransition.Auto;
    case 'implicit':
      return ConfChangeTransition.JointImplicit;
    case 'explicit':
      return ConfChangeTransition.JointExplicit;
    default:
      throw new CommandError(`unknown transition ${name}`);
  }
}

function printLog(group: Interaction, id: number): void {
  const { storage } = group.node(id);
  const first = storage.firstIndex();
  const last = storage.lastIndex();
  if (last < first) {
    group.output.write(`log is empty: first index=${first}, last index=${last}`);
    return;
  }
  const entries = storage.entries(first, last + 1, NO_LIMIT);
  if (typeof entries === 'string') throw new CommandError(entries);
  group.output.write(describeEntries(entries));
}

function printState(group: Interaction): void {
  for (const { raw } of group.nodes) {
    const { id, softState, hardState, config } = raw.status();
    const role = config.voters.has(id) ? '(Voter)' : '(Non-Voter)';
    const state = stateName(softState.raftState);
    group.output.writeLine(`${id}: ${state} ${role} Term:${hardState.term} Lead:${softState.lead}`);
  }
}

function sendSnapshot(group: Interaction, command: ScriptCommand): void {
  const [from, to] = nodeIds(command);
  const { raw, storage } = group.node(from!);
  const { term } = raw.basicStatus().hardState;
  const snapshot = storage.snapshot();
  const message = makeMessage(MessageType.Snap, { from: from!, to: to!, term, snapshot });
  group.send([message]);
  group.output.write(describeMessage(message));
}

function stabilize(group: Interaction, command: ScriptCommand): void {
  const { level } = group.output;
  const other = scriptArg(command, 'log-level');
  if (other !== undefined) setLevel(group, other);
  const ids = nodeIds(command);
  group.stabilize(ids.length > 0 ? ids : group.nodes.map((_, at) => at + 1));
  group.output.setLevel(level);
}

function setLevel(group: Interaction, name: string): void {
  if (group.output.setLevel(name)) return;
  throw new CommandError('log levels must be either of [DEBUG INFO WARN ERROR FATAL NONE]');
}

function eachNode(
  group: Interaction,
  command: ScriptCommand,
  title: string,
  run: (id: number) => void,
): void {
  const ids = nodeIds(command);
  for (const id of ids) {
    if (ids.length === 1) {
      run(id);
      continue;
    }
    group.output.writeLine(`> ${id} ${title}`);
    group.output.indented(() => run(id));
  }
}

function report(group: Interaction, outcome: Parameters<Interaction['outcomeText']>[0]): void {
  const text = group.outcomeText(outcome);
  if (text !== '') throw new CommandError(text);
}

function firstId(command: ScriptCommand): number {
  return Number(command.args[0]?.key);
}

/** Bare arguments are node ids. */
function nodeIds(command: ScriptCommand): number[] {
  return command.args.filter(({ values }) => values.length === 0).map(({ key }) => Number(key));
}
