import { assert } from '@themisdb/base';
import { frameType, type FrameHeader } from './format.ts';
import { GroupIndex, type Place } from './group-index.ts';

/**
 * What the log holds: the places of all live records, and how many bytes of each segment they are.
 * Frames are applied in log order, after their sync or when a log is read in: the same rules for both.
 */
export class LogIndex {
  readonly #groups: Map<number, GroupIndex> = new Map();
  readonly #liveBytes: Map<number, number> = new Map();
  readonly #dropped = (place: Place): void => {
    this.freedBytes += place.bytes;
    this.#addLive(place.segment, -place.bytes);
  };
  /** Of all records that went out of use: what tells that there may be something to tidy. */
  freedBytes = 0;

  group(group: number): GroupIndex | undefined {
    return this.#groups.get(group);
  }

  groups(): number[] {
    return [...this.#groups.keys()].sort((a, b) => a - b);
  }

  liveBytes(segment: number): number {
    return this.#liveBytes.get(segment) ?? 0;
  }

  /** The group whose records do not follow each other; undefined when all is well. */
  brokenGroup(): number | undefined {
    for (const [group, index] of this.#groups) if (index.hasHoles) return group;
    return undefined;
  }

  forgetSegment(segment: number): void {
    assert(this.liveBytes(segment) === 0, () => `segment ${segment} still holds records`);
    this.#liveBytes.delete(segment);
  }

  /** Whether the record is live and stands at that place. */
  isAt(group: number, index: number, segment: number, offset: number): boolean {
    const place = this.#groups.get(group)?.get(index);
    return place !== undefined && place.segment === segment && place.offset === offset;
  }

  /**
   * A record that moves from an old segment may come behind later ones of its group, so there can be
   * holes until the whole log is read in.
   */
  apply(frame: Pick<FrameHeader, 'type' | 'group' | 'index'>, place: Place): void {
    if (frame.type === frameType.record) this.#append(frame.group, frame.index, place);
    if (frame.type === frameType.carried) this.#move(frame.group, frame.index, place);
    if (frame.type === frameType.truncated) this.#truncate(frame.group, frame.index);
  }

  #append(group: number, index: number, place: Place): void {
    const records = this.#mustGet(group);
    records.cutFrom(index, this.#dropped);
    this.#set(records, index, place);
  }

  #move(group: number, index: number, place: Place): void {
    const records = this.#mustGet(group);
    const old = records.get(index);
    if (old !== undefined) this.#dropped(old);
    this.#set(records, index, place);
  }

  #truncate(group: number, index: number): void {
    const records = this.#groups.get(group);
    records?.dropBefore(index, this.#dropped);
    if (records?.isEmpty) this.#groups.delete(group);
  }

  #set(records: GroupIndex, index: number, place: Place): void {
    records.set(index, place);
    this.#addLive(place.segment, place.bytes);
  }

  #addLive(segment: number, bytes: number): void {
    this.#liveBytes.set(segment, this.liveBytes(segment) + bytes);
  }

  #mustGet(group: number): GroupIndex {
    let records = this.#groups.get(group);
    if (records === undefined) this.#groups.set(group, (records = new GroupIndex()));
    return records;
  }
}
