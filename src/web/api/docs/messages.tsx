import type { ApiDocument } from "./operations.js";
import { Prose } from "./docs-frame.js";
import { Example, Parameters } from "./operation.js";

/** What is posted to the addresses that an account subscribed, and how a program checks that it comes from us. */
export function Messages({ document: { webhooks } }: { document: ApiDocument }) {
  const messages = Object.entries(webhooks);
  const [first] = messages;
  return (
    <section class="docs-group">
      <h2 id="webhooks">Messages to your programs</h2>
      <article class="card">
        <h3>How they come</h3>
        <Prose text={HOW} />
        <Parameters parameters={first?.[1].post.parameters ?? []} />
        <h4>What you answer</h4>
        <dl>
          {Object.entries(first?.[1].post.responses ?? {}).map(([status, { description }]) => (
            <div key={status}>
              <dt>
                <code>{status}</code>
              </dt>
              <dd>{description}</dd>
            </div>
          ))}
        </dl>
        <h4>Messages</h4>
        {messages.map(([type, { post }]) => (
          <details key={type}>
            <summary>
              <code>{type}</code> {post.summary}.
            </summary>
            <Example of={post.requestBody.content["application/json"]?.schema ?? {}} />
          </details>
        ))}
      </article>
    </section>
  );
}

const HOW = `A message is a POST with JSON, signed as the Standard Webhooks say (standardwebhooks.com): most languages have a library that checks it. The secret begins with \`whsec_\`; what follows is the key, in base64. Check the signature over the bytes of the body as they came, before you parse them.

A message comes at least once: remember each \`webhook-id\` for a while. Those of one enrollment come in order. One that is not taken is sent again after 5 and 30 seconds, 5 and 30 minutes, 2, 6 and 12 hours, then given up.`;
