import { themisError } from '@themisdb/protocol';
import { isLoopbackHost } from '../config/loopback.ts';

/**
 * Against DNS rebinding and foreign web pages: a browser that was led here by a name of someone
 * else's sends that name in Host, and its page's address in Origin. Both must be ours.
 */
export class HostGuard {
  readonly #names: ReadonlySet<string>;
  /** Host headers seen to be good; bounded, since ports vary. */
  readonly #known = new Set<string>();

  constructor(names: readonly string[]) {
    this.#names = new Set(names.map((name) => name.toLowerCase()));
  }

  /** Throws HOST_NOT_ALLOWED. */
  check(host: string | undefined, origin: string | undefined): void {
    if (host === undefined || !this.#isOurs(host)) {
      throw themisError('HOST_NOT_ALLOWED', {
        message: `the request came by the host name ${JSON.stringify((host ?? '').slice(0, 100))}; this server answers to loopback names and those of the setting hosts`,
        details: { header: 'Host' },
      });
    }
    if (origin !== undefined && authorityOf(origin) !== host.toLowerCase()) {
      throw themisError('HOST_NOT_ALLOWED', {
        message: `the request comes from a page of ${JSON.stringify(origin.slice(0, 100))}; this server takes none from other origins`,
        details: { header: 'Origin' },
      });
    }
  }

  #isOurs(host: string): boolean {
    if (this.#known.has(host)) return true;
    const name = nameOf(host);
    if (name === undefined || !(isLoopbackHost(name) || this.#names.has(name))) return false;
    if (this.#known.size < 1000) this.#known.add(host);
    return true;
  }
}

/** The name of `name:port` or `[address]:port`, lower-cased; undefined when it is neither. */
function nameOf(host: string): string | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(host);
  return match?.[1]!.toLowerCase();
}

function authorityOf(origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]!.toLowerCase();
}
