/** Icons: 24×24 strokes in the text's colour. Decoration only: labels are said by what holds them. */
import type { ComponentChildren, JSX } from "preact";

function Icon({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      {children}
    </svg>
  );
}

const SLASH = <path d="M4 4l16 16" />;

export function MicIcon({ off = false }: { readonly off?: boolean }): JSX.Element {
  return (
    <Icon>
      <rect x="9" y="3" width="6" height="11" rx="3" />
      <path d="M5.5 11.5a6.5 6.5 0 0 0 13 0M12 18v3" />
      {off && SLASH}
    </Icon>
  );
}

export function CameraIcon({ off = false }: { readonly off?: boolean }): JSX.Element {
  return (
    <Icon>
      <rect x="2.5" y="6" width="13" height="12" rx="3" />
      <path d="M15.5 10.5l5-3v9l-5-3" />
      {off && SLASH}
    </Icon>
  );
}

export function ChatIcon(): JSX.Element {
  return (
    <Icon>
      <path d="M4 5.5h16a1 1 0 0 1 1 1V16a1 1 0 0 1-1 1h-8.5L7 20.5V17H4a1 1 0 0 1-1-1V6.5a1 1 0 0 1 1-1z" />
    </Icon>
  );
}

export function LinkIcon(): JSX.Element {
  return (
    <Icon>
      <path d="M10 14a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7l-1 1M14 10a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7l1-1" />
    </Icon>
  );
}

export function LeaveIcon(): JSX.Element {
  return (
    <Icon>
      <path d="M3.5 14.5c-.6-1-.5-2.3.4-3.1C6.1 9.4 9 8.5 12 8.5s5.9.9 8.1 2.9c.9.8 1 2.1.4 3.1l-.6.9c-.3.5-.9.7-1.4.5l-2.7-1c-.5-.2-.8-.6-.8-1.1v-1.3a9.8 9.8 0 0 0-6 0v1.3c0 .5-.3.9-.8 1.1l-2.7 1c-.5.2-1.1 0-1.4-.5z" />
    </Icon>
  );
}

export function PeopleIcon(): JSX.Element {
  return (
    <Icon>
      <circle cx="9" cy="8.5" r="3.5" />
      <path d="M2.5 19.5a6.5 6.5 0 0 1 13 0M15.5 5.3a3.5 3.5 0 0 1 0 6.4M18 14.3a6.5 6.5 0 0 1 3.5 5.2" />
    </Icon>
  );
}

export function CloseIcon(): JSX.Element {
  return (
    <Icon>
      <path d="M6 6l12 12M18 6L6 18" />
    </Icon>
  );
}

export function SendIcon(): JSX.Element {
  return (
    <Icon>
      <path d="M4 12h15M13 6l6 6-6 6" />
    </Icon>
  );
}

export function ChevronIcon({ left = false }: { readonly left?: boolean }): JSX.Element {
  return (
    <Icon>
      <path d={left ? "M15 5l-7 7 7 7" : "M9 5l7 7-7 7"} />
    </Icon>
  );
}
