// The form that this plugin's accounts get, as people will see it, and the schema behind it.
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useProviders } from '../../api/lists';
import type { PluginView } from '../../api/schema';
import { Json } from '../../components/Facts';
import { Empty, Failed, Skeleton } from '../../components/States';
import { SchemaForm } from '../../forms/SchemaForm';
import { manifestOf } from './facts';

const NONE: ReadonlySet<string> = new Set();

export function SchemaPreview(props: { plugin: PluginView }) {
  const { t } = useTranslation();
  const providers = useProviders();
  const [value, setValue] = useState<Record<string, unknown>>({});
  if (providers.isPending) return <Skeleton lines={6} />;
  if (!providers.data) return <Failed error={providers.error} retry={() => void providers.refetch()} />;
  const channels = new Set(manifestOf(props.plugin)?.serves ?? [props.plugin.plugin_id]);
  const schema = providers.data.items.find((one) => channels.has(one.channel))?.account_schema;
  if (!schema) return <Empty icon="file" text={t('plugin.noSchema')} hint={t('plugin.noSchemaHint')} />;
  return (
    <div className="halves" style={{ padding: 16 }}>
      <div className="stack" style={{ maxWidth: 560 }}>
        <h3>{t('plugin.formPreview')}</h3>
        <SchemaForm
          schema={schema}
          value={value}
          saved={NONE}
          cleared={NONE}
          change={setValue}
          clear={() => undefined}
          submit={() => undefined}
          faults={[]}
          prefix=""
          audience="admin"
          formId="preview"
        />
      </div>
      <div className="stack">
        <h3>JSON Schema</h3>
        <Json value={schema} label="JSON Schema" />
      </div>
    </div>
  );
}
