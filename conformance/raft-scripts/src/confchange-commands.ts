import {
  Changer,
  type ChangeResult,
  describeConfig,
  describeProgresses,
  NO_LIMIT,
  parseChanges,
  ProgressTracker,
} from '@themisdb/raft';
import { scriptArg, type ScriptCommand, type ScriptHandler } from '@themisdb/testing';

/**
 * Commands of the membership change scripts: `simple`, `enter-joint`, `leave-joint`. The end of the log
 * moves on by one with each command, so that `next` tells when a progress was made.
 */
export function makeConfChangeHandler(): ScriptHandler {
  const tracker = new ProgressTracker({ inflightMessagesMax: 10, inflightBytesMax: NO_LIMIT });
  let lastIndex = 0;
  return (command) => {
    const result = run(new Changer(tracker, lastIndex++), command);
    if (typeof result === 'string') return result;
    if (!result.ok) return result.reason;
    tracker.reconfigure(result.membership.config, result.membership.progress);
    const views = [...tracker.progress].map(([id, member]) => [id, member.snapshot()] as const);
    return `${describeConfig(tracker.config)}\n${describeProgresses(new Map(views))}`;
  };
}

function run(changer: Changer, command: ScriptCommand): ChangeResult | string {
  const changes = parseChanges(command.input);
  if (typeof changes === 'string') return changes;
  switch (command.name) {
    case 'simple':
      return changer.simple(changes);
    case 'enter-joint':
      return changer.enterJoint(scriptArg(command, 'autoleave') === 'true', changes);
    case 'leave-joint':
      return changes.length > 0 ? 'this command takes no input' : changer.leaveJoint();
    default:
      return 'unknown command';
  }
}
