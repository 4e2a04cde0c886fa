import { FILE_LIMITS } from "#domain/imports/file/file-limits.js";
import type { ImportKey } from "#domain/imports/advance-import.js";
import type { Import } from "#domain/imports/import.js";
import { appendRows, failReading } from "#domain/imports/read-source.js";
import type { SourceProblem } from "#domain/imports/source-problems.js";
import { HubSpotAnsweredOddly, HubSpotRejected } from "#platform/hubspot/errors.js";
import type { Segment } from "#platform/hubspot/gateway.js";
import type { ImportTools } from "./import-tools.js";

/** Reads the next page of a segment's members. True: there is more to do. */
export async function readSegmentPage(
  { pool, gatewayOf }: Pick<ImportTools, "pool" | "gatewayOf">,
  key: ImportKey,
  { sourceId, sourceAt }: Pick<Import, "sourceId" | "sourceAt">,
): Promise<boolean> {
  const gateway = gatewayOf(key.portalId);
  const id = sourceId ?? "";
  const after = typeof sourceAt === "string" ? sourceAt : undefined;
  try {
    const segment = after === undefined ? await gateway.readSegment(id) : undefined;
    const problem = after === undefined ? whyNot(segment) : undefined;
    if (problem !== undefined) return await end(problem);
    const page = await gateway.listMembers(id, { after });
    if (page.isCut === true || page.leftOut.length > 0)
      throw new HubSpotAnsweredOddly("a page of a segment's members could not be read as a whole");
    const rows = page.results.map((contact) => [contact.id]);
    const name = segment === undefined ? {} : { name: segment.name };
    const stored = await appendRows(pool, key, { from: after, to: page.after, rows, ...name });
    if (stored === "too-many") return await end("TOO_MANY_ROWS");
    return stored && page.after !== undefined;
  } catch (error) {
    if (!(error instanceof HubSpotRejected)) throw error;
    if (error.httpStatus === 403) return end("MISSING_SCOPES");
    if (error.httpStatus === 404) return end("SEGMENT_NOT_FOUND");
    throw error;
  }

  async function end(problem: SourceProblem): Promise<false> {
    await failReading(pool, key, problem);
    return false;
  }
}

function whyNot(segment: Segment | undefined): SourceProblem | undefined {
  if (segment === undefined) return "SEGMENT_NOT_FOUND";
  if (!segment.isOfContacts) return "SEGMENT_OF_OTHER_RECORDS";
  return (segment.size ?? 0) > FILE_LIMITS.rows ? "TOO_MANY_ROWS" : undefined;
}
