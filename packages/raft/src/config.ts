import { assert } from '@themisdb/base';
import { isLocalTarget } from './message.ts';
import { NO_LIMIT, NONE, type RaftConfig, type RaftLogger, type ReadOnlyOption } from './types.ts';

/** A checked configuration with every default filled in. */
export interface Settings {
  readonly id: number;
  readonly electionTicks: number;
  readonly heartbeatTicks: number;
  readonly random: (bound: number) => number;
  readonly applied: number;
  readonly asyncStorageWrites: boolean;
  readonly messageBytesMax: number;
  readonly applyingBytesMax: number;
  readonly uncommittedBytesMax: number;
  readonly inflightMessagesMax: number;
  readonly inflightBytesMax: number;
  readonly checkQuorum: boolean;
  readonly preVote: boolean;
  readonly readOnlyOption: ReadOnlyOption;
  readonly logger: RaftLogger | undefined;
  readonly disableProposalForwarding: boolean;
  readonly disableConfChangeValidation: boolean;
  readonly stepDownOnRemoval: boolean;
}

/** Fails on a configuration that no group can run with: that is the host's mistake. */
export function resolveConfig(config: RaftConfig): Settings {
  const settings: Settings = {
    id: config.id,
    electionTicks: config.electionTicks,
    heartbeatTicks: config.heartbeatTicks,
    random: config.random,
    applied: config.applied ?? 0,
    asyncStorageWrites: config.asyncStorageWrites ?? false,
    messageBytesMax: config.messageBytesMax,
    // Where messages hold one entry each, entries are handed out one by one too: a first entry always
    // passes, so the smallest limit there is does that.
    applyingBytesMax: config.applyingBytesMax || config.messageBytesMax || 1,
    uncommittedBytesMax: config.uncommittedBytesMax || NO_LIMIT,
    inflightMessagesMax: config.inflightMessagesMax,
    inflightBytesMax: config.inflightBytesMax || NO_LIMIT,
    checkQuorum: config.checkQuorum ?? false,
    preVote: config.preVote ?? false,
    readOnlyOption: config.readOnlyOption ?? 'safe',
    logger: config.logger,
    disableProposalForwarding: config.disableProposalForwarding ?? false,
    disableConfChangeValidation: config.disableConfChangeValidation ?? false,
    stepDownOnRemoval: config.stepDownOnRemoval ?? false,
  };
  check(settings);
  return settings;
}

function check(settings: Settings): void {
  const { id, electionTicks, heartbeatTicks, inflightMessagesMax } = settings;
  assert(
    Number.isSafeInteger(id) && id > NONE && !isLocalTarget(id),
    () => `raft config: id must be a node id, given ${id}`,
  );
  assert(heartbeatTicks > 0, () => `raft config: heartbeatTicks must be above 0`);
  assert(
    electionTicks > heartbeatTicks,
    () => `raft config: electionTicks (${electionTicks}) must exceed heartbeatTicks`,
  );
  assert(inflightMessagesMax > 0, () => 'raft config: inflightMessagesMax must be above 0');
  assert(
    settings.inflightBytesMax >= settings.messageBytesMax,
    () => 'raft config: inflightBytesMax must be at least messageBytesMax',
  );
  assert(
    settings.readOnlyOption === 'safe' || settings.checkQuorum,
    'raft config: lease-based reads need checkQuorum',
  );
}
