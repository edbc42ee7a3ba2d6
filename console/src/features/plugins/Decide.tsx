// The decision about a package: seen what is new, its id typed where nobody vouches for it, installed or enabled.
import { useQueryClient } from '@tanstack/react-query';
import { Button, Checkbox, Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Review, Uploaded } from '../../api/schema';
import { Field } from '../../components/Field';
import { Icon } from '../../components/Icon';
import { Card } from '../../components/Page';
import { approveRelease, enableVersion, ImpactList } from './actions';
import { PackageRefused } from './PackageRefused';
import { sendPackage } from './sendPackage';

export function Decide(props: { file: File; review: Review; back: () => void; done: (isEnabled: boolean) => void }) {
  const { t } = useTranslation();
  const { review } = props;
  const client = useQueryClient();
  const step = review.step ?? 'first';
  const compared = review.compared_with ?? '';
  const added = review.changes.reduce((sum, one) => sum + one.added.length, 0);
  const asked = review.permissions.reduce((sum, one) => sum + one.wants.length, 0);
  const news = compared ? added : asked;
  const isUnsigned = review.signature.verdict !== 'verified';
  const takesOver = review.takes_over ?? '';
  const mustType = isUnsigned || !!takesOver;
  const [hasSeen, setSeen] = useState(false);
  const [typed, setTyped] = useState('');
  const [busy, setBusy] = useState<'' | 'install' | 'enable'>('');
  const [error, setError] = useState<unknown>(null);
  const isReady = hasSeen && (!mustType || typed.trim() === review.plugin_id);
  const install = async (enable: boolean) => {
    setBusy(enable ? 'enable' : 'install');
    setError(null);
    try {
      if (!review.is_installed) await sendPackage<Uploaded>(props.file, false, () => undefined, undefined, review.package_sha256);
      await approveRelease(review.plugin_id, review.version, review.package_sha256);
      if (enable) await enableVersion(review.plugin_id, review.version, takesOver ? review.plugin_id : undefined);
      props.done(enable);
    } catch (caught) {
      setError(caught);
    } finally {
      setBusy('');
      for (const key of ['plugins', 'plugin', 'providers', 'monitor']) void client.invalidateQueries({ queryKey: [key] });
    }
  };
  return (
    <Card title={t('upload.decide')}>
      <div className="stack">
        {takesOver && review.impact && (
          <div className="note warn">
            <Icon name="warning" />
            <div className="stack tight">
              <span>{t('plugin.takesOver', { builtin: takesOver })}</span>
              <ImpactList impact={review.impact} />
            </div>
          </div>
        )}
        <Checkbox checked={hasSeen} onChange={(event) => setSeen(event.target.checked)}>
          {compared && news === 0 ? t('upload.seenNone') : t('upload.seen', { count: news })}
        </Checkbox>
        {mustType && (
          <div style={{ maxWidth: 360 }}>
            <Field label={t('confirm.type', { what: review.plugin_id })} hint={isUnsigned ? t('upload.unsignedHint') : undefined}>
              <Input value={typed} autoComplete="off" spellCheck={false} onChange={(event) => setTyped(event.target.value)} />
            </Field>
          </div>
        )}
        {error !== null && <PackageRefused error={error} />}
        <div className="row">
          <Button
            type="primary"
            danger={step === 'downgrade'}
            disabled={!isReady || busy === 'install'}
            loading={busy === 'enable'}
            onClick={() => void install(true)}
          >
            {t(`upload.enable.${step}`, { version: review.version })}
          </Button>
          <Button disabled={!isReady || busy === 'enable'} loading={busy === 'install'} onClick={() => void install(false)}>
            {t('upload.installOnly')}
          </Button>
          <Button type="text" disabled={!!busy} onClick={props.back}>
            {t('upload.other')}
          </Button>
        </div>
      </div>
    </Card>
  );
}
