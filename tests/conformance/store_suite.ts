/**
 * What every store keeps, whoever wrote it. Run it over a new store with one call:
 *
 * ```ts
 * storeSuite("mine", async () => ({ create: () => new MyStore(folder), backupPath, createFrom, dispose }));
 * ```
 *
 * @module
 */
import { type Asked, asked, type StoreBench } from "./store_bench.ts";
import { queryTests } from "./store_answers.ts";
import { checkpointTests } from "./store_checkpoints.ts";
import { curveTests, lossTests } from "./store_curves.ts";
import { lifeTests } from "./store_life.ts";
import { repetitionTests, verdictTests } from "./store_verdicts.ts";

/** The whole suite over one implementation. */
export function storeSuite(name: string, make: () => Promise<StoreBench>): void {
  const test = (sentence: string, body: (store: Asked, bench: StoreBench) => Promise<void>) => {
    Deno.test(`${name}: ${sentence}`, async () => {
      const bench = await make();
      const store = asked(bench.create());
      try {
        await body(store, bench);
        await store.close();
      } finally {
        await bench.dispose();
      }
    });
  };
  lifeTests(test);
  verdictTests(test);
  repetitionTests(test);
  queryTests(test);
  curveTests(test);
  checkpointTests(test);
  lossTests(test);
}
