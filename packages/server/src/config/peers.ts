import { isObject, suggest, type Value } from '@themisdb/base';
import { themisError } from '@themisdb/protocol';
import type { PeerConfig } from './server-config.ts';

const fields = ['id', 'address', 'url'] as const;

/** A list of objects from a file, or the short form of flags and variables. CONFIG_INVALID. */
export function readPeers(given: unknown, where: () => string): readonly PeerConfig[] {
  const list = typeof given === 'string' ? fromShortForm(given) : given;
  if (!Array.isArray(list)) {
    throw refused(where, 'it must be a list of objects with id, address and url');
  }
  const peers = list.map((item, n) => readPeer(item as Value, () => `${where()}, item ${n + 1}`));
  for (const field of fields) mustDiffer(peers, field, where);
  return peers;
}

/** `2=127.0.0.1:7002=http://127.0.0.1:8002,3=…` */
function fromShortForm(text: string): unknown[] {
  if (text.trim() === '') return [];
  return text.split(',').map((item) => {
    const [id, address, ...url] = item.trim().split('=');
    return { id: Number(id), address, url: url.join('=') };
  });
}

function readPeer(item: Value, where: () => string): PeerConfig {
  if (!isObject(item)) throw refused(where, 'it must be an object with id, address and url');
  for (const name of Object.keys(item)) {
    if ((fields as readonly string[]).includes(name)) continue;
    const hint = suggest(name, fields);
    const end = hint === undefined ? '' : `; did you mean ${hint}?`;
    throw refused(where, `${name} is unknown${end}`);
  }
  const { id, address, url } = item;
  if (!Number.isSafeInteger(id) || (id as number) < 1) {
    throw refused(where, 'id must be a whole number from 1');
  }
  if (typeof address !== 'string' || !isAddress(address)) {
    throw refused(where, 'address must be host:port');
  }
  if (typeof url !== 'string' || !isUrl(url)) {
    throw refused(where, 'url must be http://host:port');
  }
  return { id: id as number, address, url: new URL(url).origin };
}

/** `host:port`, or `[address]:port` of IPv6. */
export function isAddress(text: string): boolean {
  const port = /^(?:\[[0-9a-f:.]+\]|[\w.-]+):(\d{1,5})$/i.exec(text)?.[1];
  return port !== undefined && Number(port) <= 65_535;
}

function isUrl(text: string): boolean {
  return /^https?:$/.test(URL.canParse(text) ? new URL(text).protocol : '');
}

function mustDiffer(
  peers: readonly PeerConfig[],
  field: keyof PeerConfig,
  where: () => string,
): void {
  const seen = new Set<unknown>();
  for (const peer of peers) {
    if (seen.has(peer[field])) throw refused(where, `${field} ${peer[field]} stands there twice`);
    seen.add(peer[field]);
  }
}

function refused(where: () => string, why: string): Error {
  return themisError('CONFIG_INVALID', {
    message: `${where()}: ${why}`,
    details: { source: where() },
  });
}
