export {
  formatInterval,
  type Operation,
  type Outcome,
  type Process,
  type Scalar,
} from './history.ts';
export {
  checkLinearizability,
  STEPS_MAX_DEFAULT,
  type LinearizabilityOptions,
  type LinearizabilityVerdict,
} from './linearizability.ts';
export {
  anomalies,
  isAllowed,
  type Anomaly,
  type AnomalyName,
  type IsolationLevel,
} from './list-append/anomaly.ts';
export { checkTransactions, type TransactionVerdict } from './list-append/check-transactions.ts';
export {
  describeTransaction,
  type AppendStep,
  type ListValue,
  type ReadStep,
  type Step,
  type Transaction,
} from './list-append/transaction.ts';
export type { Model } from './model.ts';
export {
  describeRegisterOperation,
  registerModel,
  type RegisterInput,
  type RegisterOperation,
  type RegisterOutput,
} from './register.ts';
export { checkHistory, type CheckedHistory } from './check-history.ts';
export {
  eventsOf,
  HistoryError,
  pairEvents,
  type EndEvent,
  type History,
  type HistoryEvent,
  type InvokeEvent,
} from './history-events.ts';
export { formatEvents, parseHistory } from './history-file.ts';
export { HistoryRecorder } from './history-recorder.ts';
