import type { Value } from '@themisdb/base';
import type { AqlFunction } from './contract.ts';
import { define1, wrongType } from './define.ts';

// Dotted decimal without padding zeroes, as inet_pton takes it.
const octet = '(25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const ipv4 = new RegExp(`^${octet}\\.${octet}\\.${octet}\\.${octet}$`);

function tryIpv4(value: Value): number | undefined {
  const octets = typeof value === 'string' ? ipv4.exec(value) : null;
  return octets === null
    ? undefined
    : octets.slice(1).reduce((number, part) => number * 256 + Number(part), 0);
}

export const ipFunctions: readonly AqlFunction[] = [
  define1(
    'IPV4_TO_NUMBER(address) → number',
    'The number of an IPv4 address in dotted decimal.',
    (address, context) => tryIpv4(address) ?? wrongType(context, 'IPV4_TO_NUMBER'),
  ),
  define1(
    'IPV4_FROM_NUMBER(number) → string',
    'The IPv4 address of a number from 0 to 4294967295.',
    (value, context) => {
      const number = typeof value === 'number' ? Math.trunc(value) : -1;
      if (number < 0 || number > 0xffffffff) return wrongType(context, 'IPV4_FROM_NUMBER');
      return [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join('.');
    },
  ),
  define1(
    'IS_IPV4(value) → bool',
    'Whether it is an IPv4 address in dotted decimal.',
    (value) => tryIpv4(value) !== undefined,
  ),
];
