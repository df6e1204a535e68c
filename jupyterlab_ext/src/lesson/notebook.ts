import { ICellModel } from '@jupyterlab/cells';
import { NotebookActions } from '@jupyterlab/notebook';

import { ILiveNotebook } from '../tokens';
import { ICell, placeOf } from './cells';

/** The cells of a notebook as plain data. */
export function cellsOf(live: ILiveNotebook | null): ICell[] {
  const cells: ICell[] = [];
  const model = live?.cells;
  for (let i = 0; model && i < model.cells.length; i++) {
    cells.push(plain(model.cells.get(i)));
  }
  return cells;
}

/** Put the cursor on an exercise's solution cell, and scroll to it. */
export function goTo(live: ILiveNotebook | null, exercise: string): void {
  const index = placeOf(cellsOf(live), exercise);
  if (!live || index < 0) {
    return;
  }
  live.notebook.activeCellIndex = index;
  live.notebook.deselectAll();
  void live.notebook
    .scrollToItem(index, 'smart')
    .catch(() => undefined)
    .then(() => NotebookActions.focusActiveCell?.(live.notebook));
}

function plain(cell: ICellModel): ICell {
  const course = cell.getMetadata('attention_course');
  const nbgrader = cell.getMetadata('nbgrader');
  return {
    id: cell.id,
    type: cell.type,
    source: cell.sharedModel.getSource(),
    hintFor: textOf(course?.hint_for),
    gradeId: textOf(nbgrader?.grade_id)
  };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value ? value : null;
}
