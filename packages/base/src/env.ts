/**
 * The outside world. Everything from `base` to `cluster` reaches clock, timers, random numbers, disk
 * and log only through these interfaces; `server` builds the real ones, `testing` the simulated
 * ones. That is what makes a whole node run deterministically from a seed.
 *
 * Contracts common to all: no call re-enters its caller; promises settle on a later turn; after
 * `close()` of a handle every call on it rejects.
 */
export interface Env {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly random: Random;
  readonly disk: Disk;
  readonly log: Log;
}

export interface Clock {
  /** Wall clock, whole milliseconds since 1970-01-01 UTC. May jump in either direction. */
  nowMs(): number;
  /** Never goes back; fractional milliseconds since an arbitrary start. For durations and deadlines. */
  monotonicMs(): number;
}

export interface TimerHandle {
  cancel(): void;
}

export interface Timers {
  /** Calls `run` once, no sooner than `delayMs` from now. Does not keep a process alive. */
  after(delayMs: number, run: () => void): TimerHandle;
  /** Resolves after at least `delayMs`; rejects with the signal's reason when it aborts first. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>;
  /** Resolves after pending I/O had its turn: what a long loop awaits to stay polite. */
  yield(): Promise<void>;
}

export interface Random {
  /** Uniform in [0, 2^32). */
  u32(): number;
  /** Uniform in [0, 1). */
  float(): number;
  bytes(length: number): Uint8Array;
}

/**
 * Files under one root folder; paths are relative to it, with forward slashes, never `..`. The empty
 * path is the root itself.
 *
 * What survives a power cut: bytes covered by a completed `datasync()` of their file, in files whose
 * creation, rename or removal is covered by a completed `syncDirectory()` of the folder. All else
 * may be lost, wholly or in part, in any order. Failures reject with a ThemisError of kind
 * `exhausted` (`DISK_FULL`), `corruption` or `internal` (`DISK_IO`). After a failed `datasync` nothing
 * is known about the bytes it covered: callers treat it as fatal and never retry it.
 */
export interface Disk {
  open(path: string, options: OpenOptions): Promise<DiskFile>;
  /** Names (not paths) in a folder, sorted; empty when the folder does not exist. */
  list(path: string): Promise<string[]>;
  exists(path: string): Promise<boolean>;
  /** With all folders above it; each is durable once the one above it is synced. */
  makeDirectory(path: string): Promise<void>;
  /** Atomic; replaces the target. */
  rename(from: string, to: string): Promise<void>;
  /** A file, or a folder with all in it. No error when there is nothing to remove. */
  remove(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  /** The folder as the operating system names it, for libraries that open files themselves. */
  nativePath(path: string): string;
}

export interface OpenOptions {
  /** Create the file when absent; without it an absent file rejects with `FILE_NOT_FOUND`. */
  readonly create?: boolean;
  readonly readOnly?: boolean;
}

export interface DiskFile {
  readonly path: string;
  /** Fills from `position`; returns fewer bytes only at the end of the file. */
  read(position: number, length: number): Promise<Uint8Array>;
  /** Writes all bytes or rejects. The caller leaves `bytes` alone until it settles. */
  write(position: number, bytes: Uint8Array): Promise<void>;
  datasync(): Promise<void>;
  truncate(length: number): Promise<void>;
  /** Reserves space so that later writes within it do not change the file's size. */
  allocate(length: number): Promise<void>;
  size(): Promise<number>;
  /** Waits for calls under way. */
  close(): Promise<void>;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** Structured log. Fields never hold row values, keys of users, secrets. */
export interface Log {
  write(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export const silentLog: Log = { write() {} };
