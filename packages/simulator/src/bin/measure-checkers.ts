// How fast the checkers are, on histories of correct toy systems and on some with a fault. Counts the
// processor time of the process, garbage collection included, so that other processes matter less.
import { Prng } from '@themisdb/base';
import { checkLinearizability } from '../check/linearizability.ts';
import { checkTransactions } from '../check/list-append/check-transactions.ts';
import { registerModel } from '../check/register.ts';
import { makeRegisterHistory, type RegisterFault } from '../check/testing/toy-registers.ts';
import {
  makeTransactionHistory,
  type TransactionFault,
} from '../check/testing/toy-transactions.ts';

const size = { operations: 10_000, transactions: 10_000, processes: 8, keys: 20 };
const rounds = 5;

function measure(name: string, run: () => { type: string; text: string }): void {
  const times: number[] = [];
  let verdict = { type: '', text: '' };
  for (let round = 0; round < rounds; round++) {
    const start = process.cpuUsage();
    verdict = run();
    const { user, system } = process.cpuUsage(start);
    times.push((user + system) / 1000);
  }
  const medianMs = times.sort((a, b) => a - b)[rounds >> 1]!;
  const rate = Math.round(size.operations / (medianMs / 1000));
  console.log(`${name}: ${verdict.type}, median ${medianMs.toFixed(0)} ms, ${rate} a second`);
}

function registers(change: { keys?: number; unknownChance?: number }, fault?: RegisterFault): void {
  const values = { values: 'unique', unknownChance: 0.01 } as const;
  const options = { ...size, ...values, ...change };
  const history = makeRegisterHistory(new Prng(1), options, fault)!;
  const name = `registers, ${options.keys} keys, ${options.unknownChance * 100} % unknown`;
  measure(`${name}${fault === undefined ? '' : `, one ${fault}`}`, () =>
    checkLinearizability(registerModel, history),
  );
}

function transactions(fault?: TransactionFault): void {
  const chances = { unknownChance: 0.01, failedChance: 0.02 };
  const options = { ...size, ...chances, level: 'strict-serializable' } as const;
  const history = makeTransactionHistory(new Prng(1), options, fault)!;
  const steps = history.reduce((sum, item) => sum + item.steps.length, 0);
  const name = `transactions, ${size.keys} keys, ${steps} steps`;
  measure(`${name}${fault === undefined ? '' : `, one ${fault}`}`, () =>
    checkTransactions(history, options.level),
  );
}

registers({});
registers({ unknownChance: 0.1 });
registers({ keys: 1 });
registers({ keys: 1, unknownChance: 0.1 });
registers({}, 'stale-read');
registers({ keys: 1 }, 'stale-read');
registers({ keys: 1, unknownChance: 0.1 }, 'stale-read');
transactions();
transactions('stale-read');
transactions('lost-update');
