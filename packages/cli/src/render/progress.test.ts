import { expect, test } from 'vitest';
import { Progress } from './progress.ts';

function makeSink(isTerminal: boolean): {
  text: string;
  now: number;
  sink: ConstructorParameters<typeof Progress>[0];
} {
  const state = {
    text: '',
    now: 0,
    sink: {
      isTerminal,
      write: (text: string): void => {
        state.text += text;
      },
      nowMs: (): number => state.now,
    },
  };
  return state;
}

test('shows share, count, rate and time left', () => {
  const state = makeSink(true);
  const progress = new Progress(state.sink, 'rows');
  state.now = 10_000;
  progress.update(2_000, 0.25);
  expect(state.text).toBe('\r\u001b[2K 25 % · 2,000 rows · 200/s · 30 s left');
});

test('does not flood a log file', () => {
  const state = makeSink(false);
  const progress = new Progress(state.sink, 'rows');
  for (let i = 0; i < 1_000; i++) {
    state.now = i * 10;
    progress.update(i);
  }
  expect(state.text.split('\n').length).toBeLessThan(5);
  state.now = 20_000;
  progress.end();
  expect(state.text).toMatch(/999 rows in 20\.0 s \(50\/s\)\n$/);
});
