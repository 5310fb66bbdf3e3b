/** A query worth reading: what it asks, in words and in AQL. */
export interface DemoQuery {
  readonly name: string;
  readonly title: string;
  readonly text: string;
  readonly params?: Readonly<Record<string, unknown>>;
}

export const queries: readonly DemoQuery[] = [
  {
    name: 'airports-by-state',
    title: 'The states with the most airports (group and count)',
    text: `
FOR a IN airports
  FILTER a.state != null
  COLLECT state = a.state WITH COUNT INTO airports
  SORT airports DESC, state
  LIMIT 5
  RETURN { state, airports }`,
  },
  {
    name: 'busiest-airports',
    title: 'The busiest airports by departures (aggregate edges, join the row by key)',
    text: `
FOR r IN routes
  COLLECT from = r._from AGGREGATE departures = SUM(r.flights), destinations = COUNT(1)
  SORT departures DESC
  LIMIT 5
  LET airport = DOCUMENT(from)
  RETURN { iata: airport.iata, city: airport.city, departures, destinations }`,
  },
  {
    name: 'one-way-routes',
    title: 'Busy routes that are flown in one direction only (correlated subquery)',
    text: `
FOR r IN routes
  FILTER r.flights >= 50
  LET back = FIRST(FOR b IN routes FILTER b._from == r._to AND b._to == r._from RETURN b.flights)
  FILTER back == null
  SORT r.flights DESC, r._key
  LIMIT 5
  RETURN { route: r._key, flights: r.flights }`,
  },
  {
    name: 'one-stop',
    title: 'From Ithaca with one stop: how many places, and through which airport the most',
    text: `
FOR first IN routes
  FILTER first._from == CONCAT("airports/", @start)
  FOR second IN routes
    FILTER second._from == first._to AND second._to != first._from
    COLLECT via = first._to AGGREGATE places = COUNT_DISTINCT(second._to)
    SORT places DESC, via
    RETURN { via: PARSE_IDENTIFIER(via).key, places }`,
    params: { start: 'ITH' },
  },
  {
    name: 'delays-by-airport',
    title: 'Average delay of airports with at least 200 departures (HAVING by FILTER)',
    text: `
FOR f IN flights
  COLLECT origin = f.origin
  AGGREGATE flights = COUNT(1), delay = AVG(f.delay), worst = MAX(f.delay)
  FILTER flights >= 200
  SORT delay DESC, origin
  LIMIT 5
  RETURN { origin, flights, delay: ROUND(delay * 100) / 100, worst }`,
  },
  {
    name: 'delays-by-hour',
    title: 'At what hour of the day flights are late (dates)',
    text: `
FOR f IN flights
  COLLECT hour = DATE_HOUR(f.date) AGGREGATE flights = COUNT(1), late = SUM(f.delay > 15 ? 1 : 0)
  SORT hour
  RETURN { hour, flights, late_percent: FLOOR(1000 * late / flights) / 10 }`,
  },
  {
    name: 'long-flights-from-honolulu',
    title: 'Longest flights from Honolulu on one day (index on origin and date, covered)',
    text: `
FOR f IN flights
  FILTER f.origin == "HNL" AND f.date >= "2001-01-05" AND f.date < "2001-01-06"
  SORT f.distance DESC, f.date
  LIMIT 3
  RETURN { date: f.date, distance: f.distance, delay: f.delay }`,
  },
  {
    name: 'directors',
    title: 'Directors with five films and more, best first (keep group members)',
    text: `
FOR m IN movies
  FILTER m.director != null AND m.rating != null
  COLLECT director = m.director INTO films = { title: m.title, rating: m.rating }
  LET rating = AVERAGE(films[*].rating)
  FILTER LENGTH(films) >= 5
  SORT rating DESC, director
  LIMIT 5
  LET best = FIRST(FOR f IN films SORT f.rating DESC, f.title RETURN f.title)
  RETURN { director, films: LENGTH(films), rating: ROUND(rating * 100) / 100, best }`,
  },
  {
    name: 'flops',
    title: 'The largest losses (arithmetic, nulls left out)',
    text: `
FOR m IN movies
  FILTER m.budget > 0 AND m.gross != null
  LET loss = m.budget - m.gross
  FILTER loss > 0
  SORT loss DESC, m.title
  LIMIT 5
  RETURN { title: m.title, year: DATE_YEAR(m.released), loss_millions: FLOOR(loss / 1000000) }`,
  },
  {
    name: 'genres-by-decade',
    title: 'What was filmed most in each decade (nested grouping)',
    text: `
FOR m IN movies
  FILTER m.genre != null AND m.released >= "1960" AND m.released < "2010"
  COLLECT decade = FLOOR(DATE_YEAR(m.released) / 10) * 10, genre = m.genre WITH COUNT INTO films
  SORT decade, films DESC, genre
  COLLECT d = decade INTO top = { genre, films }
  RETURN { decade: d, genre: top[0].genre, films: top[0].films }`,
  },
  {
    name: 'cars',
    title: 'Fuel economy by origin and model year (two group keys)',
    text: `
FOR c IN cars
  FILTER c.Miles_per_Gallon != null AND DATE_YEAR(c.Year) IN [1970, 1982]
  COLLECT origin = c.Origin, year = DATE_YEAR(c.Year)
  AGGREGATE mpg = AVG(c.Miles_per_Gallon), cars = COUNT(1)
  SORT origin, year
  RETURN { origin, year, cars, mpg: FLOOR(mpg * 10) / 10 }`,
  },
  {
    name: 'best-months',
    title: 'The best month of each share (self join over the previous month)',
    text: `
FOR s IN stocks
  LET previous = FIRST(
    FOR p IN stocks
      FILTER p.symbol == s.symbol AND p.date == LEFT(DATE_SUBTRACT(s.date, 1, "month"), 10)
      RETURN p.price)
  FILTER previous != null
  COLLECT symbol = s.symbol INTO moves = { date: s.date, gain: FLOOR(1000 * (s.price / previous - 1)) / 10 }
  LET best = FIRST(FOR m IN moves SORT m.gain DESC, m.date RETURN m)
  SORT symbol
  RETURN { symbol, month: LEFT(best.date, 7), gain_percent: best.gain }`,
  },
  {
    name: 'weather',
    title: 'Rain and heat by city and year',
    text: `
FOR w IN weather
  COLLECT location = w.location, year = DATE_YEAR(w.date)
  AGGREGATE rainy = SUM(w.precipitation > 0 ? 1 : 0), hottest = MAX(w.temp_max), coldest = MIN(w.temp_min)
  SORT location, year
  RETURN { location, year, rainy, hottest, coldest }`,
  },
  {
    name: 'mark-hubs',
    title: 'Mark the hubs: airports with flights to at least 100 others (update rows)',
    text: `
FOR r IN routes
  COLLECT from = r._from WITH COUNT INTO destinations
  FILTER destinations >= 100
  UPDATE PARSE_IDENTIFIER(from).key WITH { hub: true } IN airports
  SORT NEW.iata
  RETURN { iata: NEW.iata, city: NEW.city, was: OLD.hub, is: NEW.hub }`,
  },
  {
    name: 'count-hubs',
    title: 'What the update left behind',
    text: `
FOR a IN airports
  FILTER a.hub == true
  COLLECT WITH COUNT INTO hubs
  RETURN { hubs }`,
  },
];
