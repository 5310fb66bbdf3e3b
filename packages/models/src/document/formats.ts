const date = /^(\d{4})-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/;
const time = /^([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/i;

function isDate(text: string): boolean {
  const parts = date.exec(text);
  if (parts === null) return false;
  const year = Number(parts[1]);
  const month = Number(parts[2]);
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]!;
  return Number(parts[3]) <= days;
}

function isDateTime(text: string): boolean {
  return (
    (text[10] === 'T' || text[10] === 't' || text[10] === ' ') &&
    isDate(text.slice(0, 10)) &&
    time.test(text.slice(11))
  );
}

function isIpv4(text: string): boolean {
  return (
    /^((25[0-5]|2[0-4]\d|1?\d?\d)(\.|$)){4}$/.test(text) &&
    !text.endsWith('.') &&
    !/(^|\.)0\d/.test(text)
  );
}

function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2 || text.length > 45) return false;
  const groups = halves.map((half) => (half === '' ? [] : half.split(':')));
  const last = groups.at(-1)!.at(-1) ?? '';
  const embedded = last.includes('.');
  if (embedded && !isIpv4(last)) return false;
  const flat = groups.flat();
  const plain = embedded ? flat.slice(0, -1) : flat;
  const length = plain.length + (embedded ? 2 : 0);
  return (
    plain.every((g) => /^[0-9a-f]{1,4}$/i.test(g)) &&
    (halves.length === 2 ? length <= 7 : length === 8)
  );
}

/** `format` as an assertion. RFC 3339, RFC 9562, RFC 4291; e-mail and URI only roughly. */
export const formatChecks: Readonly<Record<string, (text: string) => boolean>> = {
  date: isDate,
  time: (text) => time.test(text),
  'date-time': isDateTime,
  email: (text) => text.length <= 254 && /^[^\s@"]{1,64}@[^\s@.]+(\.[^\s@.]+)*$/.test(text),
  uuid: (text) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text),
  uri: (text) => /^[a-z][a-z0-9+.-]*:[^\s<>"{}|\\^`]*$/i.test(text),
  ipv4: isIpv4,
  ipv6: isIpv6,
  hostname: (text) =>
    text.length <= 253 &&
    /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i.test(text),
};

export { isDate, isDateTime };
