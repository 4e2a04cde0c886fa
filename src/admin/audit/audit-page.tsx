import type { Frame } from "../frame/shell.js";
import { describeChanges, type Names } from "./changes.js";
import type { AuditItem, AuditPage as Entries } from "../../policy/audit.js";
import { shorten } from "../frame/format.js";
import { LONGEST_LABEL } from "../frame/names.js";
import { ChangeTable } from "./change-table.js";
import { Time } from "../overview/connection.js";
import { SitePage } from "../frame/shell.js";

const AUDIT_PATH = "/settings/audit";

export interface AuditModel {
  frame: Frame;
  entries: Entries;
  names: Names;
  /** False on the pages after the first. */
  isFirst: boolean;
}

export function AuditPage({ frame, entries, names, isFirst }: AuditModel) {
  const { items, olderThan } = entries;
  return (
    <SitePage
      frame={frame}
      current={AUDIT_PATH}
      title="Audit"
      lead={`Who changed what on these pages, newest first. Times are in ${frame.format.timeZone}.`}
    >
      {items.length === 0 ? (
        <p class="card empty">{isFirst ? "Nothing was changed yet." : "There is nothing older."}</p>
      ) : (
        <ol class="audit">
          {items.map((item) => (
            <li key={String(item.id)} class="card">
              <Entry {...{ item, frame, names }} />
            </li>
          ))}
        </ol>
      )}
      <nav class="paging" aria-label="Pages of changes">
        {isFirst ? null : (
          <a class="button quiet" href={AUDIT_PATH}>
            Newest
          </a>
        )}
        {olderThan === undefined ? null : (
          <a class="button quiet" rel="next" href={`${AUDIT_PATH}?before=${olderThan}`}>
            Older
          </a>
        )}
      </nav>
    </SitePage>
  );
}

/** What the account itself decides is named by its own name. */
const SUBJECTS: Readonly<Record<string, string>> = {
  sender: "Sender",
  rotation: "Rotation",
  preset: "Preset",
};

const ACTIONS: Readonly<Record<string, string>> = {
  CREATED: "created",
  CHANGED: "changed",
  DELETED: "deleted",
  CLEARED: "cleared",
};

function Entry({ item, frame, names }: { item: AuditItem; frame: Frame; names: Names }) {
  const who = item.userEmail ?? (item.userId === null ? "Somebody" : `User ${item.userId}`);
  return (
    <>
      <h2>
        {SUBJECTS[item.subject]} <bdi>{shorten(item.subjectName, LONGEST_LABEL)}</bdi>{" "}
        {ACTIONS[item.action] ?? item.action.toLowerCase().replaceAll("_", " ")}
      </h2>
      <p class="note">
        <bdi>{shorten(who, LONGEST_LABEL)}</bdi>, <Time date={item.at} format={frame.format} />
      </p>
      <ChangeTable
        changes={describeChanges(item.before, item.after, {
          ...names,
          moment: (date) => frame.format.dateTime(date),
        })}
        heads={["Before", "After"]}
      />
    </>
  );
}
