import { ThemisError, type ErrorKind, type TextPosition } from '@themisdb/base';

/**
 * The error catalogue: every operating error a user can meet, once. HTTP answers, SDK error types and
 * the reference page are made from it. Codes are stable for ever; a message may change.
 */
export interface ErrorSpec {
  readonly kind: ErrorKind;
  /** HTTP status of the answer. */
  readonly status: number;
  /** The same request may succeed later, unchanged. */
  readonly retryable?: true;
  /** The ArangoDB error number whose handling fits, for people who move over. */
  readonly arango?: number;
  /** One sentence: what it means and the way out. */
  readonly meaning: string;
}

export const errorCatalogue = {
  // Requests
  BAD_REQUEST: {
    kind: 'invalid',
    status: 400,
    arango: 400,
    meaning: 'The request is malformed; the message says where.',
  },
  BAD_JSON: {
    kind: 'invalid',
    status: 400,
    arango: 600,
    meaning: 'The body is not valid JSON (RFC 8259); the position is given.',
  },
  BAD_UTF8: {
    kind: 'invalid',
    status: 400,
    arango: 600,
    meaning: 'The text is not well-formed UTF-8, or holds a lone surrogate.',
  },
  NUMBER_OUT_OF_RANGE: {
    kind: 'invalid',
    status: 400,
    arango: 1504,
    meaning: 'A number cannot be held exactly or is too large; send it as a string.',
  },
  DUPLICATE_ATTRIBUTE: {
    kind: 'invalid',
    status: 400,
    meaning: 'An object names the same attribute twice.',
  },
  UNKNOWN_FIELD: {
    kind: 'invalid',
    status: 400,
    meaning: 'The request has a field the route does not know.',
  },
  INVALID_FIELD: {
    kind: 'invalid',
    status: 400,
    arango: 10,
    meaning: 'A field has a value of the wrong type or outside its limits.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    kind: 'invalid',
    status: 415,
    meaning: 'The content type is not one the route reads.',
  },
  NOT_ACCEPTABLE: {
    kind: 'invalid',
    status: 406,
    meaning: 'None of the formats asked for can be produced.',
  },
  BODY_TOO_LARGE: { kind: 'exhausted', status: 413, meaning: 'The body is larger than the limit.' },
  LIMIT_EXCEEDED: {
    kind: 'invalid',
    status: 400,
    meaning: 'A document or request goes beyond a limit named in the message.',
  },
  ROUTE_NOT_FOUND: { kind: 'not-found', status: 404, arango: 404, meaning: 'No such route.' },
  METHOD_NOT_ALLOWED: {
    kind: 'invalid',
    status: 405,
    arango: 405,
    meaning: 'The route does not take this method.',
  },
  REQUEST_TIMEOUT: {
    kind: 'timeout',
    status: 408,
    retryable: true,
    meaning: 'The request did not finish within its deadline.',
  },
  REQUEST_CANCELLED: {
    kind: 'conflict',
    status: 410,
    meaning: 'The caller gave the request up before it was finished.',
  },
  TOO_MANY_REQUESTS: {
    kind: 'exhausted',
    status: 429,
    retryable: true,
    meaning: 'Too much work at once; try again after the given time.',
  },
  HOST_NOT_ALLOWED: {
    kind: 'denied',
    status: 403,
    meaning: 'The request came by a host name or origin this server does not answer to.',
  },

  // Names and entities
  INVALID_URN: {
    kind: 'invalid',
    status: 400,
    meaning: 'Not a URN of the form urn:themis:{model}:{namespace}:{collection}:{uuid}.',
  },
  INVALID_NAME: {
    kind: 'invalid',
    status: 400,
    arango: 1208,
    meaning: 'A name does not follow the naming rules.',
  },
  INVALID_KEY: {
    kind: 'invalid',
    status: 400,
    arango: 1221,
    meaning: 'A _key must be a string of 1 to 254 bytes.',
  },
  MODEL_MISMATCH: {
    kind: 'invalid',
    status: 400,
    meaning: 'The URN names another model than the collection has.',
  },
  NAMESPACE_NOT_FOUND: {
    kind: 'not-found',
    status: 404,
    arango: 1228,
    meaning: 'No such namespace.',
  },
  NAMESPACE_MISMATCH: {
    kind: 'denied',
    status: 403,
    meaning: 'The entity belongs to another namespace than the request.',
  },
  COLLECTION_NOT_FOUND: {
    kind: 'not-found',
    status: 404,
    arango: 1203,
    meaning: 'No such collection in the namespace.',
  },
  INVALID_DOCUMENT: {
    kind: 'invalid',
    status: 400,
    arango: 1227,
    meaning: 'A document must be an object.',
  },
  COLLECTION_EXISTS: {
    kind: 'conflict',
    status: 409,
    arango: 1207,
    meaning: 'A collection of that name exists already.',
  },
  INDEX_NOT_FOUND: { kind: 'not-found', status: 404, arango: 1212, meaning: 'No such index.' },
  INDEX_EXISTS: {
    kind: 'conflict',
    status: 409,
    arango: 1212,
    meaning: 'An index of that name with another definition exists already.',
  },
  INVALID_INDEX: {
    kind: 'invalid',
    status: 400,
    arango: 10,
    meaning: 'The index definition is wrong or of an unsupported kind.',
  },
  ENTITY_NOT_FOUND: {
    kind: 'not-found',
    status: 404,
    arango: 1202,
    meaning: 'No entity with that key.',
  },
  KEY_EXISTS: {
    kind: 'conflict',
    status: 409,
    arango: 1210,
    meaning: 'An entity with that _key exists already.',
  },
  UNIQUE_VIOLATION: {
    kind: 'conflict',
    status: 409,
    arango: 1210,
    meaning: 'Another entity has the same value in a unique index.',
  },
  PRECONDITION_FAILED: {
    kind: 'conflict',
    status: 412,
    arango: 1200,
    meaning: 'If-Match, If-None-Match or _rev does not fit the current version.',
  },
  IMMUTABLE_ATTRIBUTE: {
    kind: 'invalid',
    status: 400,
    meaning: 'A system attribute (_key, _id, _rev, _urn) cannot be changed.',
  },
  INVALID_EDGE: {
    kind: 'invalid',
    status: 400,
    arango: 1233,
    meaning: 'An edge needs _from and _to of the form collection/key.',
  },
  SCHEMA_VIOLATION: {
    kind: 'invalid',
    status: 400,
    arango: 1620,
    meaning: 'The document does not follow the schema of its collection.',
  },
  INVALID_SCHEMA: {
    kind: 'invalid',
    status: 400,
    arango: 1621,
    meaning: 'The schema itself is wrong or uses an unsupported keyword.',
  },
  FOREIGN_KEY_VIOLATION: {
    kind: 'conflict',
    status: 409,
    meaning: 'A foreign key would point to nothing, or what is removed is still referenced.',
  },

  // Transactions, idempotency, changes
  WRITE_CONFLICT: {
    kind: 'conflict',
    status: 409,
    retryable: true,
    arango: 1200,
    meaning: 'Another transaction changed what this one read or wrote; run it again.',
  },
  TRANSACTION_NOT_FOUND: {
    kind: 'not-found',
    status: 404,
    arango: 1655,
    meaning: 'No such open transaction: it ended, expired or never was.',
  },
  TRANSACTION_ENDED: {
    kind: 'conflict',
    status: 409,
    arango: 1653,
    meaning: 'The transaction was already committed or rolled back.',
  },
  TRANSACTION_LOST: {
    kind: 'conflict',
    status: 409,
    retryable: true,
    arango: 1654,
    meaning:
      'The node that held the transaction is gone or leads no more: nothing of it was done; begin it again.',
  },
  TRANSACTION_TOO_LARGE: {
    kind: 'exhausted',
    status: 413,
    arango: 32,
    meaning: 'The transaction holds more writes than allowed; split it.',
  },
  IDEMPOTENCY_MISMATCH: {
    kind: 'conflict',
    status: 409,
    meaning: 'The idempotency key was used before with another request.',
  },
  SNAPSHOT_TOO_OLD: {
    kind: 'invalid',
    status: 400,
    meaning: 'The moment asked for is before the start of retained history.',
  },
  SNAPSHOT_IN_FUTURE: {
    kind: 'invalid',
    status: 400,
    meaning: 'The moment asked for has not happened yet.',
  },
  CHANGES_TRIMMED: {
    kind: 'not-found',
    status: 410,
    meaning: 'The changes after that token are no longer kept; read the data anew.',
  },
  NOT_LEADER: {
    kind: 'unavailable',
    status: 503,
    retryable: true,
    meaning:
      'The node does not lead the shard and the write was not done; try again, or ask the leader named.',
  },
  NO_LEADER: {
    kind: 'unavailable',
    status: 503,
    retryable: true,
    meaning:
      'No leader of the shard could be reached in time; the request had no effect and may be repeated.',
  },
  MEMBER_CHANGE_REFUSED: {
    kind: 'conflict',
    status: 409,
    meaning:
      'The change of members would leave too few replicas, names an unknown one, or another is under way.',
  },
  REPLICA_FORGOTTEN: {
    kind: 'corruption',
    status: 500,
    meaning:
      'The replica lost its disk or was started on another one; it is to be replaced under a new id.',
  },
  SNAPSHOT_GONE: {
    kind: 'unavailable',
    status: 503,
    retryable: true,
    meaning: 'The state a replica wanted to fetch is not held any more; it asks for another.',
  },
  UNKNOWN_OUTCOME: {
    kind: 'unavailable',
    status: 503,
    meaning:
      'The write may or may not have happened; read before writing again, or use an idempotency key.',
  },

  // AQL
  AQL_PARSE: {
    kind: 'invalid',
    status: 400,
    arango: 1501,
    meaning: 'The query text is not AQL; the position is given.',
  },
  AQL_EMPTY: { kind: 'invalid', status: 400, arango: 1502, meaning: 'The query is empty.' },
  AQL_TOO_DEEP: {
    kind: 'invalid',
    status: 400,
    arango: 1524,
    meaning: 'The query nests deeper or is longer than allowed.',
  },
  AQL_NUMBER_OUT_OF_RANGE: {
    kind: 'invalid',
    status: 400,
    arango: 1504,
    meaning: 'A number in the query cannot be held exactly.',
  },
  AQL_UNKNOWN_VARIABLE: {
    kind: 'invalid',
    status: 400,
    arango: 1512,
    meaning: 'A name is neither a variable in scope nor a collection.',
  },
  AQL_VARIABLE_REDECLARED: {
    kind: 'invalid',
    status: 400,
    arango: 1511,
    meaning: 'A variable of that name is in scope already.',
  },
  AQL_COLLECTION_IN_EXPRESSION: {
    kind: 'invalid',
    status: 400,
    arango: 1568,
    meaning: 'A collection stands where a value is needed.',
  },
  AQL_ARRAY_EXPECTED: {
    kind: 'invalid',
    status: 400,
    arango: 1563,
    meaning:
      'FOR was given something that is neither a collection nor an array, or a function no array.',
  },
  AQL_UNKNOWN_FUNCTION: {
    kind: 'invalid',
    status: 400,
    arango: 1540,
    meaning: 'No such function.',
  },
  AQL_FUNCTION_ARGUMENTS: {
    kind: 'invalid',
    status: 400,
    arango: 1541,
    meaning: 'A function was called with a wrong number of arguments.',
  },
  AQL_INVALID_AGGREGATE: {
    kind: 'invalid',
    status: 400,
    arango: 1574,
    meaning: 'AGGREGATE was given something that is no aggregate function.',
  },
  AQL_BIND_MISSING: {
    kind: 'invalid',
    status: 400,
    arango: 1551,
    meaning: 'A bind parameter of the query has no value.',
  },
  AQL_BIND_UNUSED: {
    kind: 'invalid',
    status: 400,
    arango: 1552,
    meaning: 'A value was given for a bind parameter the query does not have.',
  },
  AQL_BIND_TYPE: {
    kind: 'invalid',
    status: 400,
    arango: 1553,
    meaning: 'A bind parameter has a value of the wrong type for its place.',
  },
  AQL_INVALID_ARGUMENT: {
    kind: 'invalid',
    status: 400,
    arango: 1542,
    meaning: 'A clause, option or function got a value it cannot work with.',
  },
  AQL_INVALID_OPTION: {
    kind: 'invalid',
    status: 400,
    arango: 1575,
    meaning: 'A clause has an option it does not know or of the wrong type.',
  },
  AQL_ACCESS_AFTER_MODIFICATION: {
    kind: 'invalid',
    status: 400,
    arango: 1579,
    meaning: 'A query reads a collection after having modified it; split the query.',
  },
  AQL_COLLECTION_TYPE: {
    kind: 'invalid',
    status: 400,
    arango: 1218,
    meaning: 'A collection is of the wrong type for this use.',
  },
  AQL_INDEX_HINT: {
    kind: 'invalid',
    status: 400,
    arango: 1577,
    meaning: 'The index forced by a hint cannot be used here.',
  },
  AQL_WARNING: {
    kind: 'invalid',
    status: 400,
    arango: 1563,
    meaning: 'A warning was raised while failOnWarning is set.',
  },
  AQL_INVALID_REGEX: {
    kind: 'invalid',
    status: 400,
    arango: 1560,
    meaning: 'The regular expression is malformed or uses an unsupported construct.',
  },
  AQL_DIVISION_BY_ZERO: {
    kind: 'invalid',
    status: 400,
    arango: 1562,
    meaning: 'Division by zero.',
  },
  AQL_INVALID_ARGUMENT_TYPE: {
    kind: 'invalid',
    status: 400,
    arango: 1542,
    meaning: 'A function got an argument of a type or value it cannot work with.',
  },
  AQL_INVALID_ARITHMETIC: {
    kind: 'invalid',
    status: 400,
    arango: 1561,
    meaning: 'A calculation met a value that is no number.',
  },
  AQL_INVALID_DATE: {
    kind: 'invalid',
    status: 400,
    arango: 1572,
    meaning: 'Not a date: an ISO 8601 string or milliseconds, in the years 0000 to 9999.',
  },
  AQL_USER_WARNING: {
    kind: 'invalid',
    status: 400,
    arango: 1594,
    meaning: 'The query called WARN() with a condition that did not hold.',
  },
  AQL_FAIL: {
    kind: 'invalid',
    status: 400,
    arango: 1569,
    meaning: 'The query called FAIL() or an ASSERT() did not hold.',
  },
  NOT_IMPLEMENTED: {
    kind: 'unsupported',
    status: 501,
    arango: 9,
    meaning: 'Understood, but not supported by this version.',
  },
  QUERY_TIMEOUT: {
    kind: 'timeout',
    status: 408,
    arango: 1500,
    meaning: 'The query ran longer than maxRuntime.',
  },
  QUERY_MEMORY: {
    kind: 'exhausted',
    status: 413,
    arango: 32,
    meaning: 'The query needed more memory than memoryLimit.',
  },
  QUERY_ROWS: {
    kind: 'exhausted',
    status: 413,
    arango: 32,
    meaning: 'The query produced more rows than maxRows.',
  },
  QUERY_KILLED: { kind: 'conflict', status: 410, arango: 1500, meaning: 'The query was killed.' },
  QUERY_NOT_FOUND: {
    kind: 'not-found',
    status: 404,
    arango: 1591,
    meaning: 'No running query with that id.',
  },
  CURSOR_NOT_FOUND: {
    kind: 'not-found',
    status: 404,
    arango: 1600,
    meaning: 'No such cursor: it was read to the end, expired or never was.',
  },
  CURSOR_LOST: {
    kind: 'conflict',
    status: 410,
    retryable: true,
    arango: 1600,
    meaning: 'The node that held the cursor is gone or was started anew; run the query again.',
  },
  CURSOR_BUSY: {
    kind: 'conflict',
    status: 409,
    retryable: true,
    arango: 1601,
    meaning: 'Another request is reading this cursor.',
  },

  // Storage and lifecycle
  FILE_NOT_FOUND: {
    kind: 'not-found',
    status: 404,
    meaning: 'A file named by the caller does not exist.',
  },
  DISK_FULL: {
    kind: 'exhausted',
    status: 507,
    retryable: true,
    meaning: 'No space left on the device: writes are refused, reads go on.',
  },
  DISK_IO: {
    kind: 'internal',
    status: 500,
    meaning: 'The operating system reported an input/output error.',
  },
  LOG_CORRUPT: {
    kind: 'corruption',
    status: 500,
    meaning: 'The write-ahead log is damaged before its end; file and offset are given.',
  },
  DATA_CORRUPT: {
    kind: 'corruption',
    status: 500,
    meaning: 'A stored record failed its checksum.',
  },
  FORMAT_UNKNOWN: {
    kind: 'unsupported',
    status: 500,
    meaning: 'The data folder was written by a newer version.',
  },
  DATA_LOCKED: {
    kind: 'unavailable',
    status: 503,
    meaning: 'Another process has the data folder open.',
  },
  STORE_FAILED: {
    kind: 'unavailable',
    status: 503,
    meaning: 'The store stopped after a fatal error and must be restarted.',
  },
  SHUTTING_DOWN: {
    kind: 'unavailable',
    status: 503,
    retryable: true,
    meaning: 'The server is stopping; try another or later.',
  },
  CONFIG_INVALID: {
    kind: 'invalid',
    status: 400,
    meaning: 'A configuration value is wrong; its source is named.',
  },
  UNSAFE_BIND: {
    kind: 'denied',
    status: 403,
    meaning: 'Without authentication the server listens on loopback only.',
  },
  CONNECTION_FAILED: {
    kind: 'unavailable',
    status: 503,
    retryable: true,
    meaning: 'The server could not be reached or closed the connection.',
  },
  PROTOCOL_ERROR: {
    kind: 'unavailable',
    status: 503,
    meaning:
      'Two nodes do not understand each other (version, cluster or damaged frames): details.reason says which.',
  },
  INTERNAL: {
    kind: 'internal',
    status: 500,
    meaning: 'A defect in the server; the log holds the request id.',
  },
} as const;

export type ErrorCode = keyof typeof errorCatalogue;

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCatalogue, code);
}

export function errorSpec(code: ErrorCode): ErrorSpec {
  return errorCatalogue[code];
}

export interface ErrorFacts {
  /** Names what was given, where, and what is allowed. Never row values, keys or secrets. */
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly position?: TextPosition;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** The one way to make an operating error: kind and retryability come from the catalogue. */
export function themisError(code: ErrorCode, facts: ErrorFacts): ThemisError {
  const spec = errorSpec(code);
  const details =
    spec.arango === undefined ? facts.details : { ...facts.details, arangoErrorNum: spec.arango };
  return new ThemisError({
    code,
    kind: spec.kind,
    retryable: spec.retryable ?? false,
    message: facts.message,
    details,
    position: facts.position,
    retryAfterMs: facts.retryAfterMs,
    cause: facts.cause,
  });
}
