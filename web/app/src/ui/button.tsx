/** Buttons: the plain one, and the round one with an icon. */
import type { ComponentChildren, JSX } from "preact";

interface ButtonProps {
  readonly children: ComponentChildren;
  readonly look?: "primary" | "quiet" | "danger";
  readonly type?: "button" | "submit";
  readonly disabled?: boolean;
  readonly testId?: string;
  readonly onClick?: () => void;
}

export function Button({
  children,
  look = "quiet",
  type = "button",
  disabled,
  testId,
  onClick,
}: ButtonProps): JSX.Element {
  return (
    <button class={`button button-${look}`} type={type} disabled={disabled} data-testid={testId} onClick={onClick}>
      {children}
    </button>
  );
}

interface RoundButtonProps {
  readonly icon: JSX.Element;
  /** What pressing it does. */
  readonly label: string;
  /** A word below the icon. */
  readonly caption?: string;
  readonly look?: "plain" | "off" | "danger";
  /** Announced as a switch that is on or off. */
  readonly pressed?: boolean;
  readonly badge?: number;
  readonly testId?: string;
  readonly onClick: () => void;
}

export function RoundButton(props: RoundButtonProps): JSX.Element {
  const { icon, label, caption, look = "plain", pressed, badge = 0, testId, onClick } = props;
  return (
    <button
      class={`round round-${look}`}
      type="button"
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      data-testid={testId}
      onClick={onClick}
    >
      <span class="round-face">
        {icon}
        {badge > 0 && <span class="badge">{badge > 99 ? "99+" : badge}</span>}
      </span>
      {caption && <span class="round-caption">{caption}</span>}
    </button>
  );
}
