import { describe, expect, test } from 'vitest';
import { utf8Decode, utf8Encode } from '@themisdb/base';
import { decodeHead, encodeHead, splitBody, type RequestHead } from './forward-codec.ts';
import { Handover } from './handover.ts';
import { OwnedIds } from './owned-ids.ts';
import { decodeRequest, encodeRequest } from './transport.ts';

const piece = (text: string): Uint8Array => utf8Encode(text);

describe('a handover', () => {
  test('lets the giver wait for the reader, and ends', async () => {
    const handover = new Handover(() => {});
    const events: string[] = [];
    const giving = (async () => {
      for (const text of ['a', 'b']) {
        await handover.give(piece(text));
        events.push(`${text} taken`);
      }
      handover.end();
    })();
    await Promise.resolve();
    expect(events).toEqual([]);
    for await (const bytes of handover) events.push(`read ${utf8Decode(bytes)}`);
    await giving;
    expect(events.filter((event) => event.startsWith('read'))).toEqual(['read a', 'read b']);
    expect(events.indexOf('b taken')).toBeGreaterThan(events.indexOf('read a'));
  });

  test('tells the giver that the reader left, and the reader of an error', async () => {
    let left = 0;
    const handover = new Handover(() => left++);
    const given = handover.give(piece('a'));
    for await (const _ of handover) break;
    await given;
    await handover.give(piece('b'));
    expect([left, handover.isLeft]).toEqual([1, true]);

    const broken = new Handover(() => {});
    const reading = broken.next();
    broken.end(new Error('broken off'));
    await expect(reading).rejects.toThrow('broken off');
  });
});

describe('what travels', () => {
  test('a head with its body, small or large', async () => {
    const head: RequestHead = { method: 'PUT', url: '/ü?a=b', headers: { accept: 'x' } };
    for (const length of [0, 10, 64 * 1024, 64 * 1024 + 1, 1_000_000]) {
      const body = new Uint8Array(length).fill(7);
      const { inline, chunks } = splitBody(body);
      const decoded = decodeHead<RequestHead>(encodeHead(head, inline));
      expect(decoded.head).toEqual(head);
      const parts = [decoded.body];
      for await (const chunk of chunks) parts.push(chunk);
      expect(Buffer.concat(parts).equals(body)).toBe(true);
    }
    expect(() => decodeHead(new Uint8Array([9, 0, 0, 0, 1]))).toThrow(/cut short/);
    expect(() => decodeHead(new Uint8Array(2))).toThrow(/cut short/);
  });

  test('a request for a snapshot', () => {
    for (const request of [{ id: '1-2-3' }, { id: 's', after: piece('k') }, { after: piece('') }]) {
      expect(decodeRequest(encodeRequest(request))).toEqual(request);
    }
    expect(() => decodeRequest(new Uint8Array([5, 1]))).toThrow(/cut short/);
  });

  test('ids that name their node, and its run', () => {
    const ids = new OwnedIds(2, 'AbC-');
    const id = ids.make('random');
    expect(id).toBe('n2-AbC-random');
    expect(ids.find(id)).toEqual({ type: 'here' });
    expect(new OwnedIds(2, 'xxxx').find(id)).toEqual({ type: 'lost' });
    expect(new OwnedIds(1, 'AbC-').find(id)).toEqual({ type: 'node', node: 2 });
    expect(ids.find('random')).toEqual({ type: 'nobody' });
  });
});
