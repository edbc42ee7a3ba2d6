// The page on which people talk to an account, as a link and as a code for a phone.
import { Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { lazily } from '../../app/fetched';
import { Icon } from '../../components/Icon';
import { UrlToCopy } from '../../forms/widgets';
import { wholeUrl } from './calls';

const QRCode = lazily(async () => (await import('antd/es/qr-code')).default);

export function ChatLink(props: { url: string }) {
  const { t } = useTranslation();
  const [isShown, setShown] = useState(false);
  // The gateway may not know by which name it is reached: the path is its own, the host is ours.
  const url = wholeUrl(new URL(props.url, location.origin).pathname);
  return (
    <div className="stack tight">
      <UrlToCopy url={url} label={t('chat.address')} />
      <div className="row">
        <a href={url} target="_blank" rel="noopener" className="button-link">
          <Icon name="external" size={13} />
          {t('chat.open')}
        </a>
        <button type="button" className="button-link" aria-expanded={isShown} onClick={() => setShown(!isShown)}>
          {isShown ? t('chat.hideCode') : t('chat.showCode')}
        </button>
      </div>
      {isShown && (
        <Suspense>
          <div role="img" aria-label={t('chat.code')}>
            <QRCode value={url} size={168} bordered={false} bgColor="#ffffff" color="#000000" type="svg" />
          </div>
        </Suspense>
      )}
    </div>
  );
}
