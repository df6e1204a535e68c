/** A cell of the notebook, as far as hints and progress need it. */
export interface ICell {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  /** The exercise whose hints this cell holds. */
  readonly hintFor: string | null;
  /** nbgrader's name of the cell; for a solution cell that of its exercise. */
  readonly gradeId: string | null;
}

/** Whether a notebook is one of the course's lessons. */
export function hasLesson(cells: readonly ICell[]): boolean {
  return cells.some(cell => cell.hintFor !== null);
}

/**
 * The exercise in whose section the cursor is.
 *
 * A section reaches from one heading of the first or second level to the next. Where it holds
 * several exercises, the one whose hints come next is meant, or else the last one before.
 */
export function exerciseAt(
  cells: readonly ICell[],
  index: number
): string | null {
  if (index < 0 || index >= cells.length) {
    return null;
  }
  let start = index;
  while (start > 0 && !isHeading(cells[start])) {
    start -= 1;
  }
  let end = index + 1;
  while (end < cells.length && !isHeading(cells[end])) {
    end += 1;
  }
  const after = cells.slice(index, end).find(cell => cell.hintFor !== null);
  const before = cells
    .slice(start, index)
    .reverse()
    .find(cell => cell.hintFor !== null);
  return (after ?? before)?.hintFor ?? null;
}

/** Where an exercise is answered: its solution cell, or else its hints. */
export function placeOf(cells: readonly ICell[], exercise: string): number {
  const solution = cells.findIndex(cell => cell.gradeId === exercise);
  return solution >= 0
    ? solution
    : cells.findIndex(cell => cell.hintFor === exercise);
}

function isHeading(cell: ICell): boolean {
  return cell.type === 'markdown' && /^\s*##?\s/.test(cell.source);
}
