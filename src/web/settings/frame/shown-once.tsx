/** A secret just made: this page shows it, and no page does again. One click marks all of it. */
export function ShownOnce({ title, text, note }: { title: string; text: string; note: string }) {
  return (
    <div class="notice good" role="status">
      <p>
        <strong>{title}</strong> {note}
      </p>
      <p>
        <code class="secret">{text}</code>
      </p>
    </div>
  );
}
