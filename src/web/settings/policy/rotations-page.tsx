import { ForAdmins } from "../session/view-only.js";
import type { FlowUses } from "#domain/flows/flow-uses.js";
import type { Frame } from "../frame/shell.js";
import type { ListedRotation } from "#domain/policy/list-rotations.js";
import { MAX_ROTATIONS } from "#domain/policy/rotation-store.js";
import { LONGEST_LABEL, type Nameable } from "../words/names.js";
import { UsedBy } from "../frame/used-by.js";
import { NEW_ROTATION_PATH, ROTATIONS_PATH } from "../words/paths.js";
import { SitePage } from "../frame/shell.js";
import { sharesOf } from "./shares.js";
import type { UserId } from "#platform/ids/branded-ids.js";
import { shorten } from "#platform/text/shorten.js";
import { unnamed } from "#domain/directory/people.js";

export interface RotationsModel {
  frame: Frame;
  nameable: Nameable;
  rotations: readonly ListedRotation[];
  /** Names of the presets that use a rotation, by its id. */
  usedBy: ReadonlyMap<string, readonly string[]>;
  /** Which workflows depend on which. */
  uses: FlowUses;
}

export function RotationsPage({ frame, nameable, rotations, usedBy, uses }: RotationsModel) {
  const names = new Map(nameable.people.map(({ userId, label }) => [userId, shorten(label, LONGEST_LABEL)]));
  return (
    <SitePage
      frame={frame}
      current={ROTATIONS_PATH}
      title="Rotations"
      lead="A rotation shares contacts among senders. Choose it in a workflow action or a preset."
    >
      <section class="card" aria-label="Rotations">
        {rotations.length === 0 ? (
          <p class="empty">No rotations yet. Create one to share contacts among senders.</p>
        ) : (
          <table>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Senders and share</th>
                <th scope="col">Contacts assigned</th>
                <th scope="col">Used by</th>
                {uses.isKnown ? <th scope="col">Workflows</th> : null}
              </tr>
            </thead>
            <tbody>
              {rotations.map((rotation) => (
                <Row
                  key={String(rotation.rotationId)}
                  rotation={rotation}
                  frame={frame}
                  names={names}
                  uses={uses}
                >
                  {usedBy.get(rotation.rotationId.toString()) ?? []}
                </Row>
              ))}
            </tbody>
          </table>
        )}
        {rotations.length < MAX_ROTATIONS ? null : (
          <p class="note">
            You can have up to {MAX_ROTATIONS} rotations. This list shows no more than that, by name.
          </p>
        )}
        <ForAdmins>
          <div class="actions">
            <a class="button primary" href={NEW_ROTATION_PATH}>
              New rotation
            </a>
          </div>
        </ForAdmins>
      </section>
    </SitePage>
  );
}

interface RowModel {
  rotation: ListedRotation;
  frame: Frame;
  /** Of people, by user id. */
  names: ReadonlyMap<UserId, string>;
  uses: FlowUses;
  /** Names of presets. */
  children: readonly string[];
}

function Row({ rotation, frame, names, uses, children: presetNames }: RowModel) {
  const { firstMembers, memberCount, totalWeight, picks } = rotation;
  const rest = memberCount - firstMembers.length;
  const named = firstMembers.map(({ weight }) => weight);
  const shares = sharesOf([...named, totalWeight - named.reduce((sum, weight) => sum + weight, 0)]);
  return (
    <tr>
      <td data-label="Name" class="wide">
        <a href={`${ROTATIONS_PATH}/${rotation.rotationId}`}>
          <bdi>{rotation.name}</bdi>
        </a>
      </td>
      <td data-label="Senders" class="wide">
        <div>
          {firstMembers.map(({ userId }, index) => (
            <span key={String(userId)} class="line">
              <bdi>{names.get(userId) ?? unnamed(userId)}</bdi> · {shares[index]}%
            </span>
          ))}
          {rest > 0 ? <span class="note">and {rest} more</span> : null}
        </div>
      </td>
      <td data-label="Assigned">
        <span class="count">{frame.format.count(picks)}</span>
      </td>
      <td data-label="Presets">
        <span>{presetNames.length === 0 ? "–" : presetNames.join(", ")}</span>
      </td>
      {uses.isKnown ? (
        <td data-label="Workflows" class="wide">
          <span>
            <UsedBy uses={uses} flows={uses.rotations.get(rotation.rotationId.toString())} />
          </span>
        </td>
      ) : null}
    </tr>
  );
}
