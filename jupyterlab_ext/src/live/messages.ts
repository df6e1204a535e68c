/**
 * What the kernel says, read with distrust: attention_course/live/messages.schema.json, version 1.
 *
 * Whatever does not fit is left out or cut; nothing here throws.
 */

export const TARGET = 'attention_course:live';
export const VERSION = 1;

/** Longest name of a token that is kept, in UTF-16 units: as long as the kernel sends. */
const LONGEST_TOKEN = 80;
const LONGEST_TEXT = 4000;
const LARGEST_SIDE = 1024;
const MOST_LISTED = 1024;

export type MatrixName =
  'scores' | 'weights' | 'reference_scores' | 'reference_weights';

const MATRIX_NAMES: readonly string[] = [
  'scores',
  'weights',
  'reference_scores',
  'reference_weights'
];

/** Numbers row by row: rows are queries, columns keys. */
export interface IMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
}

/** The matrices of one exercise after a cell has run. */
export interface IPicture {
  readonly exercise: string;
  readonly title: string;
  readonly cellId: string | null;
  readonly tokens: readonly string[];
  readonly keyTokens: readonly string[];
  readonly matrices: Readonly<Partial<Record<MatrixName, IMatrix>>>;
  /** Width of queries and keys; null where it is not known. */
  readonly dK: number | null;
  /** Whether this exercise divides its scores by sqrt(d_k). */
  readonly scaled: boolean;
  readonly notes: readonly string[];
  readonly sequence: number;
}

export type Outcome = 'passed' | 'failed' | 'ungraded';

export interface IHint {
  readonly misconception: string;
  readonly title: string;
  readonly text: string;
}

export interface IVerdict {
  readonly exercise: string;
  readonly title: string;
  readonly outcome: Outcome;
  readonly message: string;
  readonly points: number;
  readonly maxPoints: number;
  /** False for a stub that was never filled in. */
  readonly tried: boolean;
  readonly hint: IHint | null;
  readonly sequence: number;
}

export interface IExercise {
  readonly exercise: string;
  readonly assignment: string;
  readonly title: string;
  readonly points: number;
}

export interface IExerciseProgress {
  readonly exercise: string;
  readonly title: string;
  readonly outcome: Outcome | 'untried';
  readonly points: number;
  readonly maxPoints: number;
  readonly attempts: number;
  readonly hintTiersOpened: number;
}

export interface IProgress {
  readonly assignment: string;
  readonly points: number;
  readonly maxPoints: number;
  readonly evaluations: number;
  readonly exercises: readonly IExerciseProgress[];
  readonly next: string | null;
  readonly sequence: number;
}

export type KernelMessage =
  | { type: 'hello'; session: string; exercises: readonly IExercise[] }
  | { type: 'matrices'; picture: IPicture }
  | { type: 'verdict'; verdict: IVerdict }
  | { type: 'progress'; progress: IProgress }
  | { type: 'clear'; exercise: string; sequence: number }
  | { type: 'other version'; version: string }
  | { type: 'unknown' };

/** What this extension says. */
export type LabMessage =
  | { version: typeof VERSION; type: 'refresh' }
  | {
      version: typeof VERSION;
      type: 'hint_opened';
      exercise: string;
      tier: number;
    };

type Json = Record<string, unknown>;
type Buffer = ArrayBuffer | ArrayBufferView;

/** Read the data and the buffers of one comm message. */
export function readMessage(
  data: unknown,
  buffers: readonly Buffer[] = []
): KernelMessage {
  if (!isObject(data)) {
    return { type: 'unknown' };
  }
  if (data.version !== VERSION) {
    return { type: 'other version', version: text(data.version, 20) };
  }
  switch (data.type) {
    case 'hello':
      return {
        type: 'hello',
        session: text(data.session),
        exercises: list(data.exercises).filter(isObject).map(readExercise)
      };
    case 'matrices':
      return { type: 'matrices', picture: readPicture(data, buffers) };
    case 'verdict':
      return isObject(data.record)
        ? { type: 'verdict', verdict: readVerdict(data, data.record) }
        : { type: 'unknown' };
    case 'progress':
      return isObject(data.record)
        ? { type: 'progress', progress: readProgress(data, data.record) }
        : { type: 'unknown' };
    case 'clear':
      return {
        type: 'clear',
        exercise: text(data.exercise, 200),
        sequence: amount(data.sequence)
      };
    default:
      return { type: 'unknown' };
  }
}

function readExercise(data: Json): IExercise {
  return {
    exercise: text(data.exercise, 200),
    assignment: text(data.assignment, 200),
    title: text(data.title, 200),
    points: amount(data.points)
  };
}

function readPicture(data: Json, buffers: readonly Buffer[]): IPicture {
  const matrices: Partial<Record<MatrixName, IMatrix>> = {};
  for (const header of list(data.matrices).filter(isObject)) {
    const matrix = readMatrix(header, buffers);
    if (matrix && MATRIX_NAMES.includes(text(header.name))) {
      matrices[header.name as MatrixName] = matrix;
    }
  }
  const tokens = list(data.tokens).map(token);
  return {
    exercise: text(data.exercise, 200),
    title: text(data.title, 200) || text(data.exercise, 200),
    cellId: typeof data.cell_id === 'string' ? data.cell_id : null,
    tokens,
    keyTokens: Array.isArray(data.key_tokens)
      ? list(data.key_tokens).map(token)
      : tokens,
    matrices,
    dK: amount(data.d_k) >= 1 ? amount(data.d_k) : null,
    scaled: data.scaled !== false,
    notes: list(data.notes).map(note => text(note, 400)),
    sequence: amount(data.sequence)
  };
}

function readMatrix(header: Json, buffers: readonly Buffer[]): IMatrix | null {
  const [rows, columns] = list(header.shape).map(amount);
  const buffer = buffers[amount(header.buffer)];
  const fits = (side: number | undefined): boolean =>
    Number.isInteger(side) && side! >= 1 && side! <= LARGEST_SIDE;
  if (!fits(rows) || !fits(columns) || header.dtype !== 'float32' || !buffer) {
    return null;
  }
  const bytes = ArrayBuffer.isView(buffer)
    ? new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
    : new Uint8Array(buffer);
  if (bytes.byteLength !== 4 * rows * columns) {
    return null;
  }
  // A view where the message has it on a multiple of four bytes, else a copy.
  const values =
    bytes.byteOffset % 4 === 0
      ? new Float32Array(bytes.buffer, bytes.byteOffset, rows * columns)
      : new Float32Array(bytes.slice().buffer);
  return { rows, columns, values };
}

function readVerdict(data: Json, record: Json): IVerdict {
  const hint = isObject(data.hint) ? data.hint : null;
  return {
    exercise: text(record.exercise, 200),
    title: text(data.title, 200) || text(record.exercise, 200),
    outcome: outcome(record.outcome),
    message: text(record.message),
    points: amount(record.points),
    maxPoints: amount(record.max_points),
    tried: data.tried !== false,
    hint: hint && {
      misconception: text(hint.misconception, 200),
      title: text(hint.title, 200),
      text: text(hint.text)
    },
    sequence: amount(data.sequence)
  };
}

function readProgress(data: Json, record: Json): IProgress {
  return {
    assignment: text(record.assignment, 200),
    points: amount(record.points),
    maxPoints: amount(record.max_points),
    evaluations: amount(record.evaluations),
    exercises: list(record.exercises)
      .filter(isObject)
      .map(one => ({
        exercise: text(one.exercise, 200),
        title: text(one.title, 200),
        outcome: one.outcome === 'untried' ? 'untried' : outcome(one.outcome),
        points: amount(one.points),
        maxPoints: amount(one.max_points),
        attempts: amount(one.attempts),
        hintTiersOpened: amount(one.hint_tiers_opened)
      })),
    next: typeof record.next === 'string' ? text(record.next, 200) : null,
    sequence: amount(data.sequence)
  };
}

function outcome(value: unknown): Outcome {
  // What cannot be read is nobody's fault: a person looks.
  return value === 'passed' || value === 'failed' ? value : 'ungraded';
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value.slice(0, MOST_LISTED) : [];
}

function text(value: unknown, longest = LONGEST_TEXT): string {
  return typeof value === 'string' || typeof value === 'number'
    ? String(value).slice(0, longest)
    : '';
}

function token(value: unknown): string {
  const whole = text(value, LONGEST_TOKEN + 1);
  return whole.length > LONGEST_TOKEN
    ? `${whole.slice(0, LONGEST_TOKEN - 1)}…`
    : whole;
}

function amount(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
    ? value
    : 0;
}
