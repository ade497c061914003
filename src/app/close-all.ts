/** Something that has to be closed, however often it is told so. */
interface Closing {
  close(): Promise<unknown>;
}

/** Closes one after the other, in order, also where one of them fails: `failed` is told why. */
export async function closeAll(parts: readonly Closing[], failed: (error: unknown) => void): Promise<void> {
  for (const part of parts) {
    try {
      await part.close();
    } catch (error) {
      failed(error);
    }
  }
}
