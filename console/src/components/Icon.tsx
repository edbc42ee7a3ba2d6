// Line icons of one weight; drawn here so that the shell needs no icon package.
const PATHS = {
  monitor: 'M3 13h4l2.5-7 4 13L16 13h5',
  plugin: 'M9 3v4H5v5h2.2a1.8 1.8 0 1 1 0 3.6H5V21h5v-2.2a1.8 1.8 0 1 1 3.6 0V21H19v-5.4h2.2M9 7h10v4',
  account: 'M4 6h16v12H4zM8 11.5a1.8 1.8 0 1 0 0-.1M5.5 16c.6-1.6 4.4-1.6 5 0M14 10h4M14 14h3',
  delivery: 'M21 4 3 11l7 3 3 7zM10 14 21 4',
  binding: 'M6 4v5a4 4 0 0 0 4 4h4a4 4 0 0 1 4 4v3M6 4 3.5 6.5M6 4l2.5 2.5M18 20l-2.5-2.5M18 20l2.5-2.5',
  agent: 'M5 9h14v10H5zM12 9V5M12 5h.01M9 13.5v1M15 13.5v1M2.5 13v3M21.5 13v3',
  session: 'M4 5h16v11H9l-5 4z',
  trace: 'M4 6h9M8 12h9M12 18h8M4 12h.01M4 18h.01',
  audit: 'M6 3h9l4 4v14H6zM14 3v5h5M9 13h6M9 17h6',
  user: 'M12 11.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7M5 20c.6-4.5 13.4-4.5 14 0',
  users: 'M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6M3 19c.5-4 11.5-4 12 0M16 5.5a3 3 0 0 1 0 5.5M17.5 14.5c2 .5 3.2 2 3.5 4.5',
  key: 'M8 12a4 4 0 1 0 0 8 4 4 0 0 0 0-8m2.8 1.2L20 4M16 8l3 3',
  settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.5v5M9 14.5v5',
  chat: 'M4 5h16v11H9l-5 4zM8 9.5h8M8 12.5h5',
  upload: 'M12 16V4M7 9l5-5 5 5M4 20h16',
  plus: 'M12 5v14M5 12h14',
  columns: 'M4 5h16v14H4zM9.5 5v14M14.5 5v14',
  grip: 'M8.3 6a.7 .7 0 1 0 1.4 0a.7 .7 0 1 0-1.4 0M8.3 12a.7 .7 0 1 0 1.4 0a.7 .7 0 1 0-1.4 0M8.3 18a.7 .7 0 1 0 1.4 0a.7 .7 0 1 0-1.4 0M14.3 6a.7 .7 0 1 0 1.4 0a.7 .7 0 1 0-1.4 0M14.3 12a.7 .7 0 1 0 1.4 0a.7 .7 0 1 0-1.4 0M14.3 18a.7 .7 0 1 0 1.4 0a.7 .7 0 1 0-1.4 0',
  up: 'M5 15l7-7 7 7',
  close: 'M6 6l12 12M18 6 6 18',
  search: 'M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14m5-2 5 5',
  copy: 'M9 9h11v11H9zM5 15H4V4h11v1',
  check: 'M4 12.5l5 5L20 6.5',
  more: 'M4.3 12a.7 .7 0 1 0 1.4 0a.7 .7 0 1 0-1.4 0M11.3 12a.7 .7 0 1 0 1.4 0a.7 .7 0 1 0-1.4 0M18.3 12a.7 .7 0 1 0 1.4 0a.7 .7 0 1 0-1.4 0',
  sun: 'M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6 19 19M5 19l1.4-1.4M17.6 6.4 19 5',
  moon: 'M20 14A8.5 8.5 0 0 1 10 4a8.5 8.5 0 1 0 10 10',
  screen: 'M3 5h18v11H3zM9 20h6M12 16v4',
  menu: 'M4 6h16M4 12h16M4 18h16',
  refresh: 'M20 11a8 8 0 0 0-14.5-4L3 9.5M3 4v5.5h5.5M4 13a8 8 0 0 0 14.5 4L21 14.5M21 20v-5.5h-5.5',
  left: 'M15 5l-7 7 7 7',
  right: 'M9 5l7 7-7 7',
  down: 'M5 9l7 7 7-7',
  out: 'M10 4H4v16h6M15 8l4 4-4 4M19 12H9',
  external: 'M14 4h6v6M20 4l-9 9M18 14v6H4V6h6',
  pause: 'M8 5v14M16 5v14',
  play: 'M7 4l13 8-13 8z',
  warning: 'M12 4 2.5 20h19zM12 10v4M12 17h.01',
  info: 'M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18M12 11v5M12 8h.01',
  lock: 'M6 11h12v9H6zM9 11V8a3 3 0 0 1 6 0v3',
  link: 'M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7L12 6.5M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1-1.2',
  file: 'M6 3h9l4 4v14H6zM14 3v5h5',
  replay: 'M4 12a8 8 0 1 0 2.5-5.8L4 8.5M4 4v4.5h4.5',
  download: 'M12 4v12M7 11l5 5 5-5M4 20h16',
} as const;

export type IconName = keyof typeof PATHS;

/** One icon; decoration only, so the words beside it must say the same. */
export function Icon(props: { name: IconName; size?: number; className?: string }) {
  const size = props.size ?? 16;
  return (
    <svg
      className={props.className ? `icon ${props.className}` : 'icon'}
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={1.8}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[props.name]} />
    </svg>
  );
}
