import { expect, test } from 'vitest';
import { csvLine } from './csv.ts';

test('quotes what RFC 4180 demands and nothing else', () => {
  expect(csvLine(['a', 'b,c', 'say "hi"', 'two\nlines', null, 1.5, true, [1, 'x']])).toBe(
    'a,"b,c","say ""hi""","two\nlines",,1.5,true,"[1,""x""]"\r\n',
  );
});
