// Point reads beside a heavy query, with the store on the main thread and in a worker (store.thread).
// `npm run build && node bench/store-thread.mjs [seconds]` prints a table; both servers take turns, so that
// a busy machine troubles both alike.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';

const seconds = Number(process.argv[2] ?? 5);
const turns = 3;
const rows = 20_000;
const readers = 4;
const binary = fileURLToPath(new URL('../packages/cli/dist/bin/themis.js', import.meta.url));
const json = { 'content-type': 'application/json' };
// Sorts and groups all rows: some hundred milliseconds of computing.
const heavy = 'FOR d IN c COLLECT g = d.n % 1000 INTO docs SORT g RETURN { g, n: LENGTH(docs) }';

const servers = await Promise.all(
  ['main', 'worker'].map(async (thread, i) => {
    const port = 18_200 + i;
    const args = ['start', '--port', String(port), '--engine', 'memory', '--store-thread', thread];
    const child = spawn(process.execPath, [binary, ...args, '--log-level', 'warn'], {
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    const url = `http://127.0.0.1:${port}`;
    for (;;) {
      const isReady = await fetch(`${url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
      if (isReady) break;
      await sleep(50);
    }
    await post(url, '/collections', { name: 'c' });
    const fill = `FOR i IN 1..${rows} INSERT { _key: TO_STRING(i), n: i, text: "${'x'.repeat(100)}" } INTO c`;
    await post(url, '/query/aql', { query: fill });
    return { thread, child, port, url, quiet: [], beside: [], cpu: [], queries: 0 };
  }),
);

for (let turn = 0; turn < turns; turn++) {
  for (const server of servers) {
    const before = cpuMs(server.child.pid);
    const quiet = await readFor(server.port, seconds * 1000);
    server.cpu.push(((cpuMs(server.child.pid) - before) / quiet.length) * 1000);
    server.quiet.push(...quiet);
    let isOver = false;
    const querying = (async () => {
      while (!isOver) {
        await post(server.url, '/query/aql', { query: heavy });
        server.queries++;
      }
    })();
    server.beside.push(...(await readFor(server.port, seconds * 1000)));
    isOver = true;
    await querying;
  }
}

console.log(
  'thread  | quiet: reads/s  p50 ms  p99 ms  CPU us | beside: reads/s  p50 ms  p99 ms  queries/s',
);
for (const { thread, quiet, beside, cpu, queries } of servers) {
  const time = seconds * turns;
  const cells = [quiet, beside].map((all) => {
    all.sort((a, b) => a - b);
    const at = (p) => all[Math.floor(all.length * p)].toFixed(2).padStart(7);
    return `${String(Math.round(all.length / time)).padStart(15)} ${at(0.5)} ${at(0.99)}`;
  });
  const us = Math.min(...cpu)
    .toFixed(0)
    .padStart(7);
  const rate = (queries / time).toFixed(1).padStart(9);
  console.log(`${thread.padEnd(7)} | ${cells[0]} ${us} | ${cells[1]}  ${rate}`);
}
for (const { child } of servers) child.kill();

/** Closed loops of point reads; the time of each in milliseconds. */
async function readFor(port, durationMs) {
  const end = performance.now() + durationMs;
  const times = [];
  await Promise.all(Array.from({ length: readers }, () => reader(port, end, times)));
  return times;
}

function reader(port, end, times) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    let startedMs = 0;
    const next = () => {
      startedMs = performance.now();
      if (startedMs > end) return socket.end();
      const key = 1 + Math.floor(Math.random() * rows);
      socket.write(`GET /entity/c/${key} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    };
    socket.setEncoding('latin1').setNoDelay(true);
    socket.on('connect', next);
    socket.on('close', resolve);
    socket.on('data', (chunk) => {
      text += chunk;
      const head = text.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(text)[1]);
      if (text.length < head + 4 + length) return;
      text = '';
      times.push(performance.now() - startedMs);
      next();
    });
  });
}

async function post(url, path, body) {
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: json,
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

/** All threads of the process, from /proc: Linux only. */
function cpuMs(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
