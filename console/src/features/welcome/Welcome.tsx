// The first minute: talk to the agent now, connect a platform, or bring a plugin.
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { api, take } from '../../api/client';
import { useSession } from '../../app/session';
import { Icon, type IconName } from '../../components/Icon';
import { useChatNow } from './chatNow';
import { Page } from '../../components/Page';
import { Failed } from '../../components/States';
import './welcome.css';

export function WelcomePage() {
  const { t } = useTranslation();
  const { user } = useSession();
  const agents = useQuery({ queryKey: ['agents'], queryFn: () => take(api.GET('/wunder/admin/agents')) });
  const agent = agents.data?.items.find((one) => one.is_default);
  const chat = useChatNow();
  return (
    <Page title={t('welcome.title', { name: user.display_name || user.name })} bare>
      <div className="welcome">
        <h2 aria-hidden="true">{t('welcome.title', { name: user.display_name || user.name })}</h2>
        <p className="second">{t('welcome.lead')}</p>
        <div className="ways">
          {chat && (
            <Way icon="chat" title={t('welcome.chat')} text={t('welcome.chatText', { agent: agent?.agent_id ?? '–' })} onClick={chat.open} busy={chat.isOpening} main />
          )}
          <Way icon="account" title={t('welcome.connect')} text={t('welcome.connectText')} to="/accounts/new" main={!chat} />
          <Way icon="upload" title={t('welcome.upload')} text={t('welcome.uploadText')} to="/plugins/upload" />
        </div>
        {chat?.error && <Failed error={chat.error} compact />}
        <p className="meta">
          {agent?.kind === 'echo' ? t('welcome.echo') : null} <Link to="/agents">{t('welcome.agents')}</Link> ·{' '}
          <Link to="/monitor">{t('welcome.monitor')}</Link>
        </p>
      </div>
    </Page>
  );
}

function Way(props: { icon: IconName; title: string; text: ReactNode; to?: string; onClick?: () => void; busy?: boolean; main?: boolean }) {
  const { t } = useTranslation();
  const body = (
    <>
      <span className="way-icon">
        <Icon name={props.icon} size={22} />
      </span>
      <strong>{props.title}</strong>
      <span className="second">{props.text}</span>
      <span className="way-go">
        {t('welcome.go')} <Icon name="right" size={13} />
      </span>
    </>
  );
  const look = props.main ? 'way main' : 'way';
  // The chat page is served beside the console, not by it.
  if (props.onClick) {
    return (
      <button type="button" className={look} onClick={props.onClick} disabled={props.busy} aria-busy={props.busy}>
        {body}
      </button>
    );
  }
  return (
    <Link className={look} to={props.to as '/'}>
      {body}
    </Link>
  );
}
