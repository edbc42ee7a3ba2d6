// The channels one can connect, as cards; they come from the gateway and from nowhere else.
import { useMemo, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { localName } from '../../api/lists';
import type { ProviderView } from '../../api/schema';
import { Icon } from '../../components/Icon';
import { Monogram } from '../../components/Page';
import { Empty } from '../../components/States';
import { Tag } from '../../components/Status';
import { choices } from './choices';
import './gallery.css';

export function ChannelGallery(props: {
  providers: ProviderView[];
  choose: (channel: string) => void;
  empty: ReactNode;
  /** A word at a card: how many accounts one has there. */
  mark?: (channel: string) => ReactNode;
}) {
  const { t, i18n } = useTranslation();
  const [text, setText] = useState('');
  const cards = useMemo(() => {
    const wanted = text.trim().toLowerCase();
    return choices(props.providers)
      .map((one) => ({ ...one, shown: localName(one.name, one.i18n, i18n.language) }))
      .filter((one) => !wanted || one.shown.toLowerCase().includes(wanted) || one.channel.includes(wanted))
      .sort((one, other) => Number(other.is_serving) - Number(one.is_serving) || one.shown.localeCompare(other.shown, i18n.language));
  }, [props.providers, text, i18n.language]);
  if (!props.providers.length) return <>{props.empty}</>;
  return (
    <div className="stack">
      {props.providers.length > 6 && (
        <div className="jump" style={{ maxWidth: 320, margin: 0, flex: 'none' }}>
          <Icon name="search" size={14} />
          <input type="search" aria-label={t('gallery.search')} placeholder={t('gallery.search')} value={text} onChange={(event) => setText(event.target.value)} />
        </div>
      )}
      {cards.length === 0 ? (
        <Empty icon="search" text={t('list.noMatch')} />
      ) : (
        <ul className="gallery">
          {cards.map((one) => (
            <li key={one.channel}>
              <button type="button" disabled={!one.is_serving} onClick={() => props.choose(one.channel)}>
                <Monogram name={one.shown} big />
                <span className="grow stack" style={{ gap: 2 }}>
                  <strong>{one.shown}</strong>
                  <span className="meta">
                    <code>{one.channel}</code> · {one.source === 'plugin' ? t('state.serving.plugin') : t('state.serving.builtin')} {one.version.replace(/^builtin@/, '')}
                  </span>
                  {!one.is_serving && <span className="meta">{t('gallery.notServing')}</span>}
                </span>
                {props.mark?.(one.channel)}
                {!one.is_serving && <Tag>{t('state.runtime.not_serving')}</Tag>}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
