import type { Frame } from "../frame/shell.js";
import type { StoredRotation } from "../../policy/rotation-store.js";
import { LONGEST_LABEL, type Nameable } from "../frame/names.js";
import { SitePage } from "../frame/shell.js";
import { shorten } from "../../shorten.js";

export const ROTATIONS_PATH = "/settings/rotations";
export const NEW_ROTATION_PATH = `${ROTATIONS_PATH}/new`;

export interface RotationsModel {
  frame: Frame;
  nameable: Nameable;
  /** Names of the presets that use a rotation, by its id. */
  usedBy: ReadonlyMap<string, readonly string[]>;
}

export function RotationsPage({ frame, nameable, usedBy }: RotationsModel) {
  const { rotations } = nameable;
  return (
    <SitePage
      frame={frame}
      current={ROTATIONS_PATH}
      title="Rotations"
      lead="Senders who take turns. A workflow's step or a preset names the rotation; each contact goes to the next one by weight."
    >
      <section class="card" aria-label="Rotations">
        {rotations.length === 0 ? (
          <p class="empty">There is no rotation yet. Make one to spread contacts over several senders.</p>
        ) : (
          <table>
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Senders and shares</th>
                <th scope="col">Picks so far</th>
                <th scope="col">Used by presets</th>
              </tr>
            </thead>
            <tbody>
              {rotations.map((rotation) => (
                <Row key={String(rotation.rotationId)} {...{ rotation, frame, nameable }}>
                  {usedBy.get(rotation.rotationId.toString()) ?? []}
                </Row>
              ))}
            </tbody>
          </table>
        )}
        <div class="actions">
          <a class="button primary" href={NEW_ROTATION_PATH}>
            New rotation
          </a>
        </div>
      </section>
    </SitePage>
  );
}

interface RowModel {
  rotation: StoredRotation;
  frame: Frame;
  nameable: Nameable;
  /** Names of presets. */
  children: readonly string[];
}

/** More than these are counted instead of named. */
const SHOWN_MEMBERS = 6;

function Row({ rotation, frame, nameable, children: presetNames }: RowModel) {
  const { members } = rotation;
  const picks = members.reduce((sum, member) => sum + member.picks, 0n);
  const rest = members.length - SHOWN_MEMBERS;
  return (
    <tr>
      <td data-label="Name" class="wide">
        <a href={`${ROTATIONS_PATH}/${rotation.rotationId}`}>
          <bdi>{rotation.name}</bdi>
        </a>
      </td>
      <td data-label="Senders" class="wide">
        <div>
          {members.slice(0, SHOWN_MEMBERS).map(({ userId, weight }) => (
            <span key={String(userId)} class="line">
              <bdi>{shortName(nameable, userId)}</bdi> · {shareOf(weight, members)}
            </span>
          ))}
          {rest > 0 ? <span class="note">and {rest} more</span> : null}
        </div>
      </td>
      <td data-label="Picks">
        <span class="count">{frame.format.count(Number(picks))}</span>
      </td>
      <td data-label="Presets">
        <span>{presetNames.length === 0 ? "–" : presetNames.join(", ")}</span>
      </td>
    </tr>
  );
}

function shortName({ people }: Nameable, userId: bigint): string {
  const person = people.find((one) => one.userId === userId);
  return person === undefined ? `User ${userId}` : shorten(person.label, LONGEST_LABEL);
}

/** "33 %": the part of all picks that falls to one weight. */
export function shareOf(weight: number, all: readonly { weight: number }[]): string {
  const total = all.reduce((sum, member) => sum + member.weight, 0);
  const percent = total === 0 ? 0 : (100 * weight) / total;
  return `${percent.toLocaleString("en-US", { maximumFractionDigits: percent < 10 ? 1 : 0 })} %`;
}
