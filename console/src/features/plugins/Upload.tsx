// Bringing a plugin: drop the zip, see the checks, review what it may do, install. Nothing runs before the end.
import { Link, useNavigate } from '@tanstack/react-router';
import { Button } from 'antd';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { usePlugins } from '../../api/lists';
import type { Review } from '../../api/schema';
import { useMay } from '../../app/session';
import { Icon } from '../../components/Icon';
import { BarePage, Card, Page } from '../../components/Page';
import { Forbidden } from '../../components/States';
import { Status } from '../../components/Status';
import { DropZone } from './DropZone';
import { PackageRefused } from './PackageRefused';
import './plugins.css';
import { ReviewCards } from './ReviewCards';
import { sendPackage } from './sendPackage';

type Stage =
  | { at: 'choose'; name?: string; error?: unknown }
  | { at: 'sending'; name: string; share: number }
  | { at: 'review'; file: File; review: Review }
  | { at: 'installing'; file: File; review: Review }
  | { at: 'done'; review: Review; isEnabled: boolean };

export function UploadPage() {
  const { t } = useTranslation();
  const mayWrite = useMay('admin');
  const [stage, setStage] = useState<Stage>({ at: 'choose' });
  const stop = useRef<AbortController | null>(null);
  if (!mayWrite) return <BarePage title={t('plugin.upload')}><Forbidden role="admin" /></BarePage>;

  const check = async (file: File) => {
    if (!/\.zip$/i.test(file.name)) return setStage({ at: 'choose', error: new Error(t('upload.onlyZip')) });
    stop.current = new AbortController();
    setStage({ at: 'sending', name: file.name, share: 0 });
    try {
      const review = await sendPackage<Review>(file, true, (share) => setStage({ at: 'sending', name: file.name, share }), stop.current.signal);
      setStage({ at: 'review', file, review });
    } catch (error) {
      setStage({ at: 'choose', name: file.name, error: stop.current.signal.aborted ? undefined : error });
    }
  };
  const steps = ['choose', 'review', 'done'];
  const at = stage.at === 'sending' ? 0 : stage.at === 'installing' ? 1 : steps.indexOf(stage.at);
  return (
    <Page title={t('plugin.upload')} lead={<Crumb />}>
      <ol className="steps">
        {steps.map((one, index) => (
          <li key={one} aria-current={index === at ? 'step' : undefined} className={index < at ? 'past' : undefined}>
            <span className="dot">{index < at ? '✓' : index + 1}</span>
            {t(`upload.step.${one}`)}
          </li>
        ))}
      </ol>
      {stage.at === 'choose' && (
        <Card>
          <div className="stack">
            <DropZone take={(file) => void check(file)} />
            {stage.error !== undefined && stage.error !== null && <PackageRefused name={stage.name} error={stage.error} />}
          </div>
        </Card>
      )}
      {stage.at === 'sending' && (
        <Card>
          <div className="drop" role="status">
            <p>{stage.share < 1 ? t('upload.sending', { name: stage.name }) : t('upload.checking', { name: stage.name })}</p>
            <progress value={stage.share} max={1} aria-label={t('upload.progress')} />
            <Button onClick={() => stop.current?.abort()}>{t('do.cancel')}</Button>
          </div>
        </Card>
      )}
      {(stage.at === 'review' || stage.at === 'installing') && (
        <ReviewCards
          key={stage.review.package_sha256}
          file={stage.file}
          review={stage.review}
          back={() => setStage({ at: 'choose' })}
          done={(isEnabled) => setStage({ at: 'done', review: stage.review, isEnabled })}
        />
      )}
      {stage.at === 'done' && <Done review={stage.review} isEnabled={stage.isEnabled} again={() => setStage({ at: 'choose' })} />}
    </Page>
  );
}

function Crumb() {
  const { t } = useTranslation();
  return (
    <>
      <Link to="/plugins">{t('tabs.plugins')}</Link>
      <span className="muted">/</span>
    </>
  );
}

/** What came of it, live: the process starts, says hello, is healthy, or says why not. */
function Done(props: { review: Review; isEnabled: boolean; again: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const plugins = usePlugins();
  const plugin = plugins.data?.items.find((one) => one.plugin_id === props.review.plugin_id);
  const runtime = plugin?.runtime;
  return (
    <Card>
      <div className="void">
        <Icon name={plugin?.status === 'error' ? 'warning' : 'check'} size={32} />
        <p>
          {props.isEnabled
            ? t('upload.enabled', { id: props.review.plugin_id, version: props.review.version })
            : t('upload.installed', { id: props.review.plugin_id, version: props.review.version })}
        </p>
        {props.isEnabled && (
          <div aria-live="polite">
            <Status kind="runtime" state={runtime?.state ?? 'starting'} />
            {runtime?.last_error && <p style={{ color: 'var(--err)' }}>{runtime.last_error}</p>}
          </div>
        )}
        <div className="row wrap">
          {props.isEnabled && (
            <Button type="primary" onClick={() => void navigate({ to: '/accounts/new', search: { channel: channelOf(props.review) } as never })}>
              {t('upload.addAccount')}
            </Button>
          )}
          <Button onClick={() => void navigate({ to: '/plugins/$pluginId', params: { pluginId: props.review.plugin_id } })}>
            {t('upload.toPlugin')}
          </Button>
          <Button type="text" onClick={props.again}>
            {t('upload.other')}
          </Button>
        </div>
      </div>
    </Card>
  );
}

function channelOf(review: Review): string {
  const serves = (review.manifest as { serves?: string[] }).serves;
  return serves?.[0] ?? review.plugin_id;
}
