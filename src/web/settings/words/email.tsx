import { LONGEST_ADDRESS } from "#domain/contract/actions/enroll-contract.js";
import { shorten } from "#platform/text/shorten.js";

/** An address, broken before the @ where it has to be broken. */
export function Email({ address: whole }: { address: string }) {
  const address = shorten(whole, LONGEST_ADDRESS);
  const at = address.lastIndexOf("@");
  if (at < 1) return <bdi>{address}</bdi>;
  return (
    <bdi>
      {address.slice(0, at)}
      <wbr />
      {address.slice(at)}
    </bdi>
  );
}
