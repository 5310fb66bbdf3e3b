import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ThemisClient } from '@themisdb/client';
import { makeConfig, startServer, type RunningServer } from '@themisdb/server';
import { isoDate, readCsv, readJson } from './datasets.ts';
import { loadAll } from './load.ts';
import { queries } from './queries.ts';

// The numbers of the demonstration, computed here a second time from the files, without the database.

type Row = Record<string, unknown>;
type Expected = () => Row[];

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const name = key(item);
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [item]);
    else group.push(item);
  }
  return groups;
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;

interface Route {
  readonly from: string;
  readonly to: string;
  readonly flights: number;
}

const routes = (): Route[] =>
  readCsv('flights-airport.csv').map((r) => ({
    from: r['origin']!,
    to: r['destination']!,
    flights: Number(r['count']),
  }));

interface Flight {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
}

const flights = (): Flight[] => readJson('flights-20k.json') as unknown as Flight[];

interface Movie {
  readonly Title: string | number | null;
  readonly Director: string | null;
  readonly 'Major Genre': string | null;
  readonly 'Release Date': string;
  readonly 'Production Budget': number | null;
  readonly 'Worldwide Gross': unknown;
  readonly 'IMDB Rating': number | null;
}

const movies = (): Movie[] => readJson('movies.json') as unknown as Movie[];

/** By numbers, then text in code point order; descending where asked. */
function order(...keys: [string, 1 | -1][]): (a: Row, b: Row) => number {
  return (a, b) => {
    for (const [key, direction] of keys) {
      const [x, y] = [a[key] as string, b[key] as string];
      if (x !== y) return x < y ? -direction : direction;
    }
    return 0;
  };
}

const expected: Readonly<Record<string, Expected>> = {
  'airports-by-state': () =>
    [
      ...groupBy(
        readCsv('airports.csv').filter((a) => a['state']),
        (a) => a['state']!,
      ),
    ]
      .map(([state, list]) => ({ state, airports: list.length }))
      .sort(order(['airports', -1], ['state', 1]))
      .slice(0, 5),

  'busiest-airports': () => {
    const city = new Map(readCsv('airports.csv').map((a) => [a['iata']!, a['city']]));
    return [...groupBy(routes(), (r) => r.from)]
      .map(([iata, list]) => ({
        iata,
        city: city.get(iata),
        departures: sum(list.map((r) => r.flights)),
        destinations: list.length,
      }))
      .sort(order(['departures', -1]))
      .slice(0, 5);
  },

  'one-way-routes': () => {
    const known = new Set(routes().map((r) => `${r.from}-${r.to}`));
    return routes()
      .filter((r) => r.flights >= 50 && !known.has(`${r.to}-${r.from}`))
      .map((r) => ({ route: `${r.from}-${r.to}`, flights: r.flights }))
      .sort(order(['flights', -1], ['route', 1]))
      .slice(0, 5);
  },

  'one-stop': () => {
    const from = groupBy(routes(), (r) => r.from);
    return from
      .get('ITH')!
      .map((first) => ({
        via: first.to,
        places: new Set((from.get(first.to) ?? []).map((r) => r.to).filter((to) => to !== 'ITH'))
          .size,
      }))
      .filter((row) => row.places > 0)
      .sort(order(['places', -1], ['via', 1]));
  },

  'delays-by-airport': () =>
    [...groupBy(flights(), (f) => f.origin)]
      .filter(([, list]) => list.length >= 200)
      .map(([origin, list]) => ({
        origin,
        flights: list.length,
        delay: Math.round(mean(list.map((f) => f.delay)) * 100) / 100,
        exact: mean(list.map((f) => f.delay)),
        worst: Math.max(...list.map((f) => f.delay)),
      }))
      .sort(order(['exact', -1], ['origin', 1]))
      .slice(0, 5)
      .map(({ exact: _, ...row }) => row),

  'delays-by-hour': () =>
    [...groupBy(flights(), (f) => f.date.slice(11, 13))]
      .map(([hour, list]) => {
        const late = list.filter((f) => f.delay > 15).length;
        return {
          hour: Number(hour),
          flights: list.length,
          late_percent: Math.floor((1000 * late) / list.length) / 10,
        };
      })
      .sort(order(['hour', 1])),

  'long-flights-from-honolulu': () =>
    flights()
      .filter((f) => f.origin === 'HNL' && f.date.startsWith('2001/01/05'))
      .map((f) => ({
        date: f.date.replaceAll('/', '-').replace(' ', 'T'),
        distance: f.distance,
        delay: f.delay,
      }))
      .sort(order(['distance', -1], ['date', 1]))
      .slice(0, 3),

  directors: () =>
    [
      ...groupBy(
        movies().filter((m) => m.Director !== null && m['IMDB Rating'] !== null),
        (m) => m.Director!,
      ),
    ]
      .filter(([, list]) => list.length >= 5)
      .map(([director, list]) => {
        const rating = mean(list.map((m) => m['IMDB Rating']!));
        const best = list
          .map((m) => ({
            rating: m['IMDB Rating']!,
            title: m.Title === null ? '' : String(m.Title),
          }))
          .sort(order(['rating', -1], ['title', 1]) as never)[0]!;
        return {
          director,
          films: list.length,
          exact: rating,
          rating: Math.round(rating * 100) / 100,
          best: best.title,
        };
      })
      .sort(order(['exact', -1], ['director', 1]))
      .slice(0, 5)
      .map(({ exact: _, ...row }) => row),

  flops: () =>
    movies()
      .filter((m) => (m['Production Budget'] ?? 0) > 0 && typeof m['Worldwide Gross'] === 'number')
      .map((m) => ({
        title: String(m.Title),
        year: Number(isoDate(m['Release Date'])?.slice(0, 4)),
        loss: m['Production Budget']! - (m['Worldwide Gross'] as number),
      }))
      .filter((m) => m.loss > 0)
      .sort(order(['loss', -1], ['title', 1]))
      .slice(0, 5)
      .map(({ title, year, loss }) => ({ title, year, loss_millions: Math.floor(loss / 1e6) })),

  'genres-by-decade': () => {
    const counted = movies()
      .map((m) => ({
        genre: m['Major Genre'],
        year: Number(isoDate(m['Release Date'])?.slice(0, 4)),
      }))
      .filter((m) => m.genre !== null && m.year >= 1960 && m.year < 2010);
    return [...groupBy(counted, (m) => String(Math.floor(m.year / 10) * 10))]
      .map(([decade, list]) => {
        const [top] = [...groupBy(list, (m) => m.genre!)]
          .map(([genre, films]) => ({ genre, films: films.length }))
          .sort(order(['films', -1], ['genre', 1]));
        return { decade: Number(decade), genre: top!.genre, films: top!.films };
      })
      .sort(order(['decade', 1]));
  },

  cars: () => {
    const list = readJson('cars.json').filter(
      (c) => c['Miles_per_Gallon'] !== null && /^(1970|1982)/.test(String(c['Year'])),
    );
    return [...groupBy(list, (c) => `${String(c['Origin'])}|${String(c['Year']).slice(0, 4)}`)]
      .map(([key, group]) => ({
        origin: key.split('|')[0],
        year: Number(key.split('|')[1]),
        cars: group.length,
        mpg: Math.floor(mean(group.map((c) => c['Miles_per_Gallon'] as number)) * 10) / 10,
      }))
      .sort(order(['origin', 1], ['year', 1]));
  },

  'best-months': () =>
    [...groupBy(readCsv('stocks.csv'), (s) => s['symbol']!)]
      .map(([symbol, list]) => {
        const sorted = list
          .map((s) => ({ date: isoDate(s['date'])!, price: Number(s['price']) }))
          .sort(order(['date', 1]) as never);
        const gains = sorted.slice(1).map((s, i) => ({
          month: s.date.slice(0, 7),
          gain_percent: Math.floor(1000 * (s.price / sorted[i]!.price - 1)) / 10,
        }));
        return { symbol, ...gains.sort(order(['gain_percent', -1], ['month', 1]))[0]! };
      })
      .sort(order(['symbol', 1])),

  weather: () =>
    [...groupBy(readCsv('weather.csv'), (w) => `${w['location']}|${w['date']!.slice(0, 4)}`)]
      .map(([key, list]) => ({
        location: key.split('|')[0],
        year: Number(key.split('|')[1]),
        rainy: list.filter((w) => Number(w['precipitation']) > 0).length,
        hottest: Math.max(...list.map((w) => Number(w['temp_max']))),
        coldest: Math.min(...list.map((w) => Number(w['temp_min']))),
      }))
      .sort(order(['location', 1], ['year', 1])),

  'mark-hubs': () => {
    const city = new Map(readCsv('airports.csv').map((a) => [a['iata']!, a['city']]));
    return [...groupBy(routes(), (r) => r.from)]
      .filter(([, list]) => list.length >= 100)
      .map(([iata]) => ({ iata, city: city.get(iata), was: false, is: true }))
      .sort(order(['iata', 1]));
  },

  'count-hubs': () => [
    { hubs: [...groupBy(routes(), (r) => r.from)].filter(([, list]) => list.length >= 100).length },
  ],
};

describe('the demonstration', () => {
  let server: RunningServer;
  let client: ThemisClient;

  beforeAll(async () => {
    server = await startServer(makeConfig({ port: 0, engine: 'memory', 'log-level': 'error' }));
    client = new ThemisClient({ url: server.url, namespace: 'demo' });
    await loadAll(client, () => {});
  });

  afterAll(async () => {
    await client.close();
    await server.stop({ graceMs: 1_000 });
  });

  test('has a check for every query', () => {
    expect(Object.keys(expected).sort()).toEqual(queries.map((query) => query.name).sort());
  });

  test.each(queries)('$name', async ({ name, text, params }) => {
    const rows = await client.query<Row>(text, params ?? {}).all();
    expect(rows.length).toBeGreaterThan(0);
    expect(rows).toEqual(expected[name]!());
  });
});
