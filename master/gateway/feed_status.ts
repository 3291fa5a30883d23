/**
 * What the feed itself reads of live values: how the master stands.
 *
 * @module
 */
import { z } from "zod";
import { STATUS_KEY, type StatusLive } from "../../shared/model/live.ts";
import type { LiveEntry } from "../../shared/protocol/client_envelopes.ts";

/** The part of a status that the feed goes by. */
export type FeedStatus = Pick<StatusLive, "epoch" | "commit" | "store">;

/** Before the epoch is taken there is none to tell. */
const statusSchema: z.ZodType<FeedStatus> = z.object({
  epoch: z.string().min(1),
  commit: z.int(),
  store: z.object({ state: z.enum(["ready", "degraded"]), reason: z.string() }),
});

/** The status that an entry is, where it is one. */
export function statusIn({ topic, key, value }: LiveEntry): FeedStatus | undefined {
  if (topic !== "status" || key !== STATUS_KEY) return undefined;
  const status = statusSchema.safeParse(value);
  return status.success ? status.data : undefined;
}
