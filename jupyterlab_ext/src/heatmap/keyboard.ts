import { ICursor } from './model';

/**
 * Where a key moves the cursor in a matrix; null for keys that move nothing.
 *
 * Arrows go one cell; Home and End to the ends of the row, with Ctrl to the corners; Page Up and
 * Page Down ten rows.
 */
export function moved(
  cursor: ICursor | null,
  key: string,
  control: boolean,
  rows: number,
  columns: number
): ICursor | null {
  const { row, column } = cursor ?? { row: 0, column: 0 };
  const target = ((): [number, number] | null => {
    switch (key) {
      case 'ArrowUp':
        return [row - 1, column];
      case 'ArrowDown':
        return [row + 1, column];
      case 'ArrowLeft':
        return [row, column - 1];
      case 'ArrowRight':
        return [row, column + 1];
      case 'Home':
        return [control ? 0 : row, 0];
      case 'End':
        return [control ? rows - 1 : row, columns - 1];
      case 'PageUp':
        return [row - 10, column];
      case 'PageDown':
        return [row + 10, column];
      default:
        return null;
    }
  })();
  if (!target) {
    return null;
  }
  if (!cursor) {
    return { row: 0, column: 0 }; // the first key only shows where the cursor is
  }
  return {
    row: Math.min(rows - 1, Math.max(0, target[0])),
    column: Math.min(columns - 1, Math.max(0, target[1]))
  };
}
