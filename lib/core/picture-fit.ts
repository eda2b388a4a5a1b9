/** Extents of a picture in pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** How a picture gets the size of the model input. */
export interface ResizeSpec {
  /** Height and width of the model input, in pixels. */
  readonly size: readonly [height: number, width: number];
  /**
   * `stretch` ignores the aspect ratio; `crop` scales the shorter side to `shorterSide` and cuts out the centre; `letterbox`
   * makes the whole picture fit and fills what is left over.
   */
  readonly resize: 'stretch' | 'crop' | 'letterbox';
  /** With `crop`; the larger number of `size` when left out. */
  readonly shorterSide?: number;
  /** With `letterbox`: where the picture lies, `center` when left out, or in the top left corner. */
  readonly align?: 'center' | 'start';
}

/** Where a picture lies in the model input. */
export interface PictureFit {
  readonly picture: PictureSize;
  /** The picture as it is resized. */
  readonly scaled: PictureSize;
  /** Pixels of the model input left of and above the resized picture; negative where that is cut off. */
  readonly left: number;
  readonly top: number;
}

/** Where a picture of this size lies in the model input; scaled sides are rounded, and the odd pixel of two margins is the last. */
export function fitOf(picture: PictureSize, { size, resize, shorterSide, align }: ResizeSpec): PictureFit {
  const [height, width] = size;
  if (resize === 'stretch') return { picture, scaled: { width, height }, left: 0, top: 0 };
  const factor =
    resize === 'crop'
      ? (shorterSide ?? Math.max(height, width)) / Math.min(picture.height, picture.width)
      : Math.min(height / picture.height, width / picture.width);
  // Rounding must make no side smaller than the cut, larger than the box, or nothing.
  const [least, most] = resize === 'crop' ? [size, [Infinity, Infinity]] : [[1, 1], size];
  const scaled = {
    height: Math.min(most[0], Math.max(least[0], Math.round(picture.height * factor))),
    width: Math.min(most[1], Math.max(least[1], Math.round(picture.width * factor))),
  };
  if (align === 'start') return { picture, scaled, left: 0, top: 0 };
  return { picture, scaled, left: margin(width, scaled.width), top: margin(height, scaled.height) };
}

/** The margin before `inner` in the middle of `outer`, or minus what is cut off before `outer`. */
function margin(outer: number, inner: number): number {
  return inner > outer ? -((inner - outer) >> 1) : (outer - inner) >> 1;
}
