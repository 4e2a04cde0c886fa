import { SitePage, type Frame } from "../frame/shell.js";
import type { AuditActor, AuditItem, AuditEntries as Entries } from "#domain/audit/list-entries.js";
import { LONGEST_LABEL } from "../words/names.js";
import { Time } from "../frame/connection.js";
import { ChangeTable } from "../words/change-table.js";
import type { Change, Names } from "../words/changes.js";
import { describeEntry } from "./describe-entry.js";
import { SUBJECTS } from "../words/audit-words.js";
import { shorten } from "#platform/text/shorten.js";
import { unnamed } from "#domain/directory/people.js";

const AUDIT_PATH = "/settings/audit";

/** What narrows the list, as the address carries it; empty: everything. */
export interface AuditNarrowing {
  who: string;
  what: string;
}

export interface AuditModel {
  frame: Frame;
  entries: Entries;
  names: Names;
  actors: readonly AuditActor[];
  narrowing: AuditNarrowing;
  /** False on the pages after the first. */
  isFirst: boolean;
}

export function AuditPage({ frame, entries, names, actors, narrowing, isFirst }: AuditModel) {
  const { items, olderThan } = entries;
  return (
    <SitePage
      frame={frame}
      current={AUDIT_PATH}
      title="Audit log"
      lead="Changes, sign-ins, and exports in Sequence Enroller, newest first."
    >
      <NarrowForm actors={actors} narrowing={narrowing} names={names} />
      {items.length === 0 ? (
        <Nothing narrowing={narrowing} isFirst={isFirst} />
      ) : (
        <ol class="audit">
          {items.map((item) => (
            <li key={String(item.id)} class="card">
              <Entry item={item} frame={frame} names={names} />
            </li>
          ))}
        </ol>
      )}
      <nav class="paging" aria-label="Pages of changes">
        {isFirst ? null : (
          <a class="button quiet" href={auditHref(narrowing)}>
            Newest
          </a>
        )}
        {olderThan === undefined ? null : (
          <a class="button quiet" rel="next" href={auditHref(narrowing, olderThan)}>
            Older
          </a>
        )}
      </nav>
    </SitePage>
  );
}

function auditHref({ who, what }: AuditNarrowing, before?: bigint): string {
  const query = new URLSearchParams({
    ...(who === "" ? {} : { who }),
    ...(what === "" ? {} : { what }),
    ...(before === undefined ? {} : { before: String(before) }),
  });
  return query.size === 0 ? AUDIT_PATH : `${AUDIT_PATH}?${query.toString()}`;
}

function NarrowForm({ actors, narrowing, names }: Pick<AuditModel, "actors" | "narrowing" | "names">) {
  return (
    <form method="get" action={AUDIT_PATH} class="search" role="search">
      <label for="who">Who</label>
      <select id="who" name="who">
        <option value="">Anyone</option>
        {actors.map(({ userId, userEmail }) => (
          <option key={String(userId)} value={String(userId)} selected={String(userId) === narrowing.who}>
            {shorten(userEmail ?? names.people.get(String(userId)) ?? unnamed(String(userId)), LONGEST_LABEL)}
          </option>
        ))}
      </select>
      <label for="what">What</label>
      <select id="what" name="what">
        <option value="">Everything</option>
        {Object.entries(SUBJECTS).map(([subject, label]) => (
          <option key={subject} value={subject} selected={subject === narrowing.what}>
            {label}
          </option>
        ))}
      </select>
      <button class="button">Apply</button>
    </form>
  );
}

function Nothing({ narrowing, isFirst }: Pick<AuditModel, "narrowing" | "isFirst">) {
  if (!isFirst) return <p class="card empty">Nothing older.</p>;
  if (narrowing.who === "" && narrowing.what === "") return <p class="card empty">No changes yet.</p>;
  return (
    <p class="card empty">
      No matching changes. <a href={AUDIT_PATH}>Clear filters</a>
    </p>
  );
}

function Entry({ item, frame, names }: { item: AuditItem; frame: Frame; names: Names }) {
  const who = item.userEmail ?? (item.userId === null ? "Unknown user" : unnamed(item.userId));
  const { kind, name, at, done, changes, meant, link } = describeEntry(item, names);
  const called = <bdi>{shorten(name, LONGEST_LABEL)}</bdi>;
  return (
    <>
      <h2>
        {kind} {at === undefined ? called : <a href={at}>{called}</a>} {done}
      </h2>
      <p class="note">
        <bdi>{shorten(who, LONGEST_LABEL)}</bdi>, <Time date={item.at} format={frame.format} />
        {link === undefined ? null : (
          <>
            {" · "}
            <a href={link.href}>{link.label}</a>
          </>
        )}
      </p>
      {meant === undefined ? null : <Meant conditions={meant} />}
      {changes.length === 0 ? null : (
        <details>
          <summary>
            <InShort changes={changes} />
          </summary>
          <ChangeTable changes={changes} heads={["Before", "After"]} />
        </details>
      )}
    </>
  );
}

/** Longer values are told in the table alone. */
const LONGEST_VALUE = 60;

/** The first change, and how many more there are. */
function InShort({ changes }: { changes: readonly Change[] }) {
  const [first] = changes;
  if (first === undefined) return null;
  const value = (text: string) => <bdi>{shorten(text, LONGEST_VALUE)}</bdi>;
  return (
    <>
      {first.label}: {first.before === "–" ? null : <>{value(first.before)} → </>}
      {value(first.after)}
      {changes.length === 1 ? "" : ` and ${changes.length - 1} more`}
    </>
  );
}

/** Longer lists of values say nothing more here, and fill the page. */
const LONGEST_CONDITION = 200;

function Meant({ conditions }: { conditions: readonly string[] }) {
  if (conditions.length === 0) return <p>Applied to all contacts.</p>;
  return (
    <p>
      Applied to contacts where{" "}
      {conditions.map((condition, index) => (
        <>
          {index === 0 ? "" : "; "}
          <bdi key={condition}>{shorten(condition, LONGEST_CONDITION)}</bdi>
        </>
      ))}
      .
    </p>
  );
}
