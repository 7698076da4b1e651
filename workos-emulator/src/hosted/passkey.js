// Lets the browser make a passkey, or use one. A form with `data-passkey` says which ("create" or "get"), and with
// `data-options` where to ask for the options; it takes the browser's answer along as `credential`.

const decode = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));

const encode = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const decodeIds = (credentials) => credentials.map((credential) => ({ ...credential, id: decode(credential.id) }));

const ceremonies = {
  async create(options) {
    const publicKey = {
      ...options,
      challenge: decode(options.challenge),
      user: { ...options.user, id: decode(options.user.id) },
      excludeCredentials: decodeIds(options.excludeCredentials),
    };
    const { type, rawId, response } = await navigator.credentials.create({ publicKey });
    return {
      type,
      rawId: encode(rawId),
      response: {
        clientDataJSON: encode(response.clientDataJSON),
        attestationObject: encode(response.attestationObject),
      },
    };
  },

  async get(options) {
    const publicKey = {
      ...options,
      challenge: decode(options.challenge),
      allowCredentials: decodeIds(options.allowCredentials),
    };
    const { type, rawId, response } = await navigator.credentials.get({ publicKey });
    return {
      type,
      rawId: encode(rawId),
      response: {
        clientDataJSON: encode(response.clientDataJSON),
        authenticatorData: encode(response.authenticatorData),
        signature: encode(response.signature),
        userHandle: response.userHandle && encode(response.userHandle),
      },
    };
  },
};

async function submit(form) {
  const alert = form.querySelector("[role=alert]");
  const button = form.querySelector("button");
  alert.hidden = true;
  button.disabled = true;
  try {
    const body = new URLSearchParams(new FormData(form));
    const answer = await fetch(form.dataset.options, { method: "POST", body });
    if (answer.ok) {
      const credential = await ceremonies[form.dataset.passkey](await answer.json());
      form.elements.credential.value = JSON.stringify(credential);
    }
    // Without a credential, the page that comes next says why.
    form.submit();
  } catch {
    // The person thought better of it, has no passkey here, or took too long: browsers do not say which.
    button.disabled = false;
    alert.hidden = false;
    alert.focus();
  }
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (globalThis.PublicKeyCredential) {
    form.hidden = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      submit(form);
    });
  }
}
