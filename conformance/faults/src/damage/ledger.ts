import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { findEvidence, saysItRebuilds, type Evidence } from './evidence.ts';
import { isStillThere, turnBack, type Flip } from './flip.ts';
import { scanState } from './whole-state.ts';

/** How a node became whole again. */
export type Repair =
  /** Another node, with a new number and an empty folder, took its place. */
  | 'replaced'
  /** It threw its state away and fetched another from a peer. */
  | 'fetched'
  /** It was sent again what it had cut off. */
  | 'sent-again'
  /** By the run, that turned the bit back: there was no other copy to repair from. */
  | 'turned-back';

/** One flip and what came of it. */
export interface Damage {
  readonly flip: Flip;
  /** Of the process, and how long it was when the bit turned over. */
  readonly logPath: string;
  readonly logFrom: number;
  evidence: Evidence | undefined;
  repair: Repair | undefined;
  /** No server has noticed it, since none read the record: one that does would be told. */
  isDormant: boolean;
}

/** All flips of a run. What is counted was read in the logs of the servers, or done to them. */
export class DamageLedger {
  readonly #all: Damage[] = [];

  add(flip: Flip, logPath: string): Damage {
    const logFrom = statSync(logPath).size;
    const damage = {
      flip,
      logPath,
      logFrom,
      evidence: undefined,
      repair: undefined,
      isDormant: false,
    };
    this.#all.push(damage);
    return damage;
  }

  /** Whether a flip that nobody noticed still stands in a file of the server that writes that log. */
  isLatentAt(logPath: string): boolean {
    return this.#unnoticed().some((damage) => {
      return damage.logPath === logPath && isStillThere(damage.flip);
    });
  }

  /**
   * When all nodes are ready: what was noticed since, and whether the node got over it by itself. A flip
   * may be found by a read long after, or by another start.
   */
  look(): void {
    for (const damage of this.#all) {
      damage.evidence ??= findEvidence(logOf(damage), damage.flip);
      if (damage.evidence === 'cut') damage.repair ??= 'sent-again';
      if (damage.evidence === 'checksum' && isStateFetched(damage)) damage.repair ??= 'fetched';
    }
  }

  /**
   * Once the servers have stopped: which of the flips that none noticed lie in records that none read. Each
   * one found is turned back, so that those behind it are found as well.
   */
  async scan(): Promise<void> {
    for (const folder of new Set(this.#unnoticed().map(({ flip }) => dirname(flip.path)))) {
      if (basename(folder) === 'state') await this.#scanState(folder);
    }
  }

  /** One line; undefined when nothing was damaged. `isWell` says that no check found anything wrong. */
  summary({ isWell }: { readonly isWell: boolean }): string | undefined {
    if (this.#all.length === 0) return undefined;
    const detected = this.#all.filter(({ evidence }) => evidence !== undefined);
    const repaired = detected.filter(
      ({ repair }) => repair !== undefined && repair !== 'turned-back',
    );
    return [
      `damage: ${this.#all.length} ${this.#all.length === 1 ? 'bit' : 'bits'} turned over`,
      counted(
        `${detected.length} detected`,
        evidenceWords,
        detected.map(({ evidence }) => evidence!),
      ),
      counted(
        `${repaired.length} repaired`,
        repairWords,
        repaired.map(({ repair }) => repair!),
      ),
      ...leftOver(detected),
      ...unnoticed(this.#unnoticed(), isWell),
    ].join(', ');
  }

  #unnoticed(): Damage[] {
    return this.#all.filter(({ evidence }) => evidence === undefined);
  }

  async #scanState(folder: string): Promise<void> {
    for (;;) {
      const message = (await scanState(folder)) ?? '';
      const found = this.#unnoticed().find(
        ({ flip, isDormant }) => !isDormant && findEvidence(message, flip) !== undefined,
      );
      if (found === undefined) return;
      found.isDormant = true;
      turnBack(found.flip);
    }
  }
}

/** What the process has written since the bit turned over, in all its lives. */
export function logOf({ logPath, logFrom }: Pick<Damage, 'logPath' | 'logFrom'>): string {
  return readFileSync(logPath).subarray(logFrom).toString();
}

/** A damaged state is marked as such until another one is there. */
function isStateFetched(damage: Damage): boolean {
  const mark = join(dirname(dirname(damage.flip.path)), 'state.damaged');
  return saysItRebuilds(logOf(damage)) && !existsSync(mark);
}

const evidenceWords: Readonly<Record<Evidence, string>> = {
  refused: 'refused at the start with file and offset',
  'refused-unnamed': 'refused at the start without the place',
  cut: 'cut off the end of the log',
  checksum: 'found by a checksum',
};

const repairWords: Readonly<Record<Repair, string>> = {
  replaced: 'by a new node that took the place',
  fetched: 'by the state of a peer',
  'sent-again': 'by entries sent again',
  'turned-back': 'turned back by the run',
};

/** `8 detected (6 refused …, 2 found …)`. */
function counted<Type extends string>(
  total: string,
  words: Readonly<Record<Type, string>>,
  types: readonly Type[],
): string {
  const parts = (Object.keys(words) as Type[]).flatMap((type) => {
    const count = types.filter((one) => one === type).length;
    return count === 0 ? [] : [`${count} ${words[type]}`];
  });
  return parts.length === 0 ? total : `${total} (${parts.join(', ')})`;
}

function leftOver(detected: readonly Damage[]): string[] {
  const turnedBack = detected.filter(({ repair }) => repair === 'turned-back').length;
  const open = detected.filter(({ repair }) => repair === undefined).length;
  return [
    ...(turnedBack === 0 ? [] : [`${turnedBack} ${repairWords['turned-back']}`]),
    ...(open === 0 ? [] : [`${open} NOT REPAIRED`]),
  ];
}

function unnoticed(rest: readonly Damage[], isWell: boolean): string[] {
  if (rest.length === 0) return [];
  if (!isWell) return [`${rest.length} not noticed by any server; see the violations`];
  const dormant = rest.filter(({ isDormant }) => isDormant).length;
  const gone = rest.filter(({ flip, isDormant }) => !isDormant && !isStillThere(flip)).length;
  const unneeded = rest.length - dormant - gone;
  return [
    ...(dormant === 0
      ? []
      : [`${dormant} in records nobody read (a scan of all files finds them)`]),
    ...(gone === 0 ? [] : [`${gone} in files that were removed before anybody read them`]),
    ...(unneeded === 0 ? [] : [`${unneeded} in bytes nobody needs`]),
  ];
}
