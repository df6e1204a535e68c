import { paintBar } from './bar';
import { IBox } from './bokeh';
import { IInk } from './figure';
import { ILayer } from './layers';
import { styleFor } from './numbers';
import { colourOf, inkOn, paint } from './palette';

const FONT_SIZE = 11;

/** Where a matrix lies on a canvas. */
export interface IPlacing {
  readonly canvas: { readonly width: number; readonly height: number };
  /** Dots of the screen in a pixel. */
  readonly ratio: number;
  readonly matrix: IBox;
  /** From where to where its columns and rows are seen. */
  readonly columns: readonly [number, number];
  readonly rows: readonly [number, number];
}

/**
 * What changes with the numbers, on a canvas of its own: the cells, the numbers in them, and the
 * bar that explains the colours.
 */
export class Cells {
  constructor(private readonly ink: IInk) {
    // In a shadow tree of Bokeh's, where no style sheet of ours reaches it.
    Object.assign(this.node.style, { position: 'absolute', left: 0, top: 0 });
  }

  readonly node = document.createElement('canvas');

  /** Take other numbers; where `annotated`, they are also written into the cells. */
  set(layer: ILayer, annotated: boolean): void {
    const { rows, columns } = layer.matrix;
    const pixels = new Uint8ClampedArray(
      paint(layer.matrix, layer.scale).buffer
    );
    fit(this._image, columns, rows);
    this._image
      .getContext('2d')!
      .putImageData(new ImageData(pixels, columns, rows), 0, 0);
    this._layer = layer;
    this._annotated = annotated;
  }

  /** Paint them, now. */
  paint(placing: IPlacing): void {
    const layer = this._layer;
    const { canvas, ratio, matrix } = placing;
    if (!layer || matrix.width <= 0 || matrix.height <= 0) {
      return; // not laid out yet
    }
    fit(this.node, canvas.width * ratio, canvas.height * ratio);
    this.node.style.width = `${canvas.width}px`;
    this.node.style.height = `${canvas.height}px`;
    const context = this.node.getContext('2d')!;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.save();
    context.beginPath();
    context.rect(matrix.left, matrix.top, matrix.width, matrix.height);
    context.clip();
    this._paintMatrix(context, layer, placing);
    context.restore();
    paintBar(context, layer.scale, this.ink, matrix, canvas.width);
  }

  private _paintMatrix(
    context: CanvasRenderingContext2D,
    { matrix, scale, extent }: ILayer,
    { matrix: box, columns, rows }: IPlacing
  ): void {
    const width = box.width / (columns[1] - columns[0]); // of a cell
    const height = box.height / (rows[1] - rows[0]);
    const left = box.left - columns[0] * width; // of the first one
    const top = box.top - rows[0] * height;
    context.imageSmoothingEnabled = false;
    context.drawImage(
      this._image,
      left,
      top,
      matrix.columns * width,
      matrix.rows * height
    );
    if (!this._annotated) {
      return;
    }
    const write = styleFor(extent.low, extent.high);
    context.font = `${FONT_SIZE}px ${this.ink.font}`;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    matrix.values.forEach((value, i) => {
      // Ten digits of rounding in each cell would hide that there is nothing to see.
      const rounding =
        scale.onlyRounding && value !== 0 && Number.isFinite(value);
      context.fillStyle = inkOn(colourOf(value, scale));
      context.fillText(
        rounding ? '≈0' : write(value),
        left + ((i % matrix.columns) + 0.5) * width,
        top + (Math.floor(i / matrix.columns) + 0.5) * height
      );
    });
  }

  private readonly _image = document.createElement('canvas');
  private _layer: ILayer | null = null;
  private _annotated = false;
}

/** Give a canvas a size; the one that it has would empty it for nothing. */
function fit(canvas: HTMLCanvasElement, width: number, height: number): void {
  const [wide, high] = [Math.round(width), Math.round(height)];
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
}
